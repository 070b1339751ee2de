"""A browser as far as the pages need one: keeps the cookie, follows no redirect by itself, sends forms as they came."""

from __future__ import annotations

from html.parser import HTMLParser

import attrs
import httpx
from tests.server.support.tenants import ISSUER


class _Reader(HTMLParser):
    """Finds the forms of a page: for each the values of its inputs and the buttons' names."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, str]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag == "form":
            self.forms.append({})
        elif tag == "input" and "name" in given:
            self.forms[-1][given["name"]] = given.get("value", "")

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def forms_of(page: httpx.Response) -> dict[str, dict[str, str]]:
    """Return the forms of a page by their `step`."""
    reader = _Reader()
    reader.feed(page.text)
    return {form.get("step", ""): form for form in reader.forms}


def text_of(page: httpx.Response) -> str:
    """Return the visible text, in one line."""
    reader = _Reader()
    reader.feed(page.text.partition("</style>")[2])
    return " ".join("".join(reader.text).split())


@attrs.define
class Browser:
    """One browser at one service; `cookies` may be inspected and planted."""

    http: httpx.AsyncClient
    cookies: dict[str, str] = attrs.field(factory=dict)

    async def get(self, address: str, **parameters: str) -> httpx.Response:
        """Open an address."""
        return await self._send(self.http.build_request("GET", address, params=parameters or None))

    async def post(self, address: str, form: dict[str, str], *, origin: str | None = ISSUER) -> httpx.Response:
        """Send a form."""
        headers = {"Origin": origin} if origin is not None else {}
        return await self._send(self.http.build_request("POST", address, data=form, headers=headers))

    async def fill(self, page: httpx.Response, step: str, **fields: str) -> httpx.Response:
        """Send a form of a page to the page's own address, with some fields filled in."""
        return await self.post(str(page.url), {**forms_of(page)[step], **fields})

    async def follow(self, answer: httpx.Response) -> httpx.Response:
        """Follow a redirect."""
        assert answer.status_code == 302, answer.text
        return await self.get(answer.headers["Location"])

    async def _send(self, request: httpx.Request) -> httpx.Response:
        # Not httpx's own jar: it keeps `Secure` cookies from plain HTTP, where browsers except loopback hosts.
        if self.cookies:
            request.headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = await self.http.send(request)
        for header in answer.headers.get_list("Set-Cookie"):
            name, _, value = header.partition(";")[0].partition("=")
            self.cookies[name] = value
        self.http.cookies.clear()
        return answer
