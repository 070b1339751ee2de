"""Failures of an S3 store, and their messages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
from starlette.types import ASGIApp
from tests.server.support.callers import rows, whole_app
from tests.server.support.swift_store import SECRET, Swift
from tests.server.support.tenants import Organisation

from redcore_server.auth.app import Auth
from redcore_server.clock import Clock
from redcore_server.settings import Settings
from redcore_server.store import Stores
from redcore_server.store.address import StoreError
from redcore_server.store.objects import check, open_objects

pytestmark = pytest.mark.anyio

MEBIBYTE = b"x" * 1024 * 1024
UNREACHABLE = "http://127.0.0.1:9"  # the port of the discard service, where nothing listens


@pytest.fixture
def settings(tmp_path: Path, swift: Swift) -> Settings:
    return Settings(data=tmp_path, **swift.settings())


async def pieces(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield MEBIBYTE


async def broken(count: int) -> AsyncIterator[bytes]:
    async for piece in pieces(count):
        yield piece
    raise ValueError("the client went away")


async def test_a_usable_store_passes_the_check(settings: Settings) -> None:
    """No error at the start."""
    await check(open_objects(settings), settings)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"s3_secret_access_key": "another"}, "it does not take our access key and secret"),
        ({"s3_access_key_id": "test:nobody"}, "it does not take our access key and secret"),
        ({"objects_url": "s3://nowhere/folder"}, "it has no such bucket"),
        ({"s3_endpoint": UNREACHABLE}, "error sending request"),
    ],
)
async def test_an_unusable_store_fails_the_check(change: dict[str, Any], problem: str, settings: Settings) -> None:
    """With the variables to look at, and without the secret."""
    bad = attrs.evolve(settings, **change)

    with pytest.raises(StoreError) as caught:
        await check(open_objects(bad), bad)

    assert problem in str(caught.value)
    assert "Check REDCORE_SERVER_OBJECTS_URL and REDCORE_SERVER_S3_*." in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("count", [1, 5, 12])
async def test_an_object_of_any_number_of_parts_round_trips(count: int, settings: Settings) -> None:
    """Less than a part, a part exactly, and more than two."""
    objects = open_objects(settings)

    await objects.put("files/object", pieces(count))

    found = await objects.find("files/object")
    assert found is not None
    assert found.size == count * len(MEBIBYTE)
    content = b"".join([piece async for piece in await objects.get("files/object", 0, found.size)])
    assert content == count * MEBIBYTE


@pytest.mark.parametrize("count", [1, 12])
async def test_an_object_whose_source_fails_is_not_written(count: int, settings: Settings) -> None:
    """Neither one that is sent whole nor one that is sent in parts."""
    objects = open_objects(settings)

    with pytest.raises(ValueError, match="went away"):
        await objects.put("files/object", broken(count))

    assert await objects.find("files/object") is None


class TestUnreachable:
    @pytest.fixture
    def app(self, stores: Stores, auth: Auth, clock: Clock, settings: Settings) -> ASGIApp:
        away = attrs.evolve(settings, s3_endpoint=UNREACHABLE)
        return whole_app(stores=stores, auth=auth, clock=clock, settings=away)

    async def test_a_failed_upload_is_a_503_and_no_row(
        self, caller: httpx.AsyncClient, stores: Stores, organisation: Organisation
    ) -> None:
        """No row describes bytes that are not stored."""
        response = await caller.post("/v1/files", files={"file": ("notes.txt", b"text", "text/plain")})

        assert (response.status_code, response.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")
        assert await rows(stores, "select id from files where organisation_id = %s", organisation.id) == []
