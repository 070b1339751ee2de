"""Connecting a device, in a real browser."""

from __future__ import annotations

from typing import Any

import attrs
import httpx
import pytest
from playwright.sync_api import Page, expect
from tests.browser.inspection import Inspector, expect_heading
from tests.contract.people import Application, Person

from redcore.testing import ReferenceServer


@attrs.frozen
class Device:
    """A device that is being connected."""

    origin: str
    client_id: str
    answer: dict[str, Any]

    def ask(self) -> dict[str, Any]:
        """Return the server's answer to a poll."""
        grant = "urn:ietf:params:oauth:grant-type:device_code"
        form = {"grant_type": grant, "device_code": self.answer["device_code"], "client_id": self.client_id}
        answer: dict[str, Any] = httpx.post(f"{self.origin}/oauth/token", data=form, trust_env=False).json()
        return answer


@pytest.fixture
def device(redcore_server: ReferenceServer, application: Application) -> Device:
    origin, form = redcore_server.origin, {"client_id": application.id, "scope": "users:read"}
    answer = httpx.post(f"{origin}/oauth/device_authorization", data=form, trust_env=False)
    return Device(origin, application.id, answer.raise_for_status().json())


def _sign_in(page: Page, person: Person) -> None:
    page.get_by_label("E-mail address").fill(person.email)
    page.get_by_label("Password").fill(person.password)
    page.keyboard.press("Enter")


def test_typed_code(page: Page, device: Device, person: Person, inspector: Inspector) -> None:
    """A wrong code is refused; with the right one, in small letters, the person signs in and connects the device."""
    page.goto(device.answer["verification_uri"])
    expect(page.get_by_label("Code")).to_be_focused()
    inspector.look(page, "device")
    page.keyboard.type("BCDF-BCDF")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("That code is not right")
    inspector.look(page, "device-wrong")
    page.get_by_label("Code").fill(device.answer["user_code"].lower().replace("-", ""))
    page.keyboard.press("Enter")
    _sign_in(page, person)
    expect_heading(page, "Connect Storefront?")
    expect(page.locator("main")).to_contain_text(device.answer["user_code"])
    inspector.look(page, "device-consent")
    page.get_by_role("button", name="Allow").click()
    expect_heading(page, "Your device is connected")
    inspector.look(page, "device-connected")
    assert device.ask()["scope"] == "users:read"


def test_link_with_the_code(page: Page, device: Device, person: Person) -> None:
    """The person types no code, but must still decide; the device learns of a refusal."""
    page.goto(device.answer["verification_uri_complete"])
    _sign_in(page, person)
    expect(page.locator("main")).to_contain_text(device.answer["user_code"])
    page.get_by_role("button", name="Deny").click()
    expect_heading(page, "You have refused the device")
    assert device.ask()["error"] == "access_denied"
