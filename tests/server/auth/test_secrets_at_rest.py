"""Secrets that are shown once are in no file: not in PostgreSQL, its journal or log, nor in Redis."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.exceptions import InvalidTag

from redcore_server.api.sealed_answers import Seal
from redcore_server.store import Stores

pytestmark = pytest.mark.anyio


async def on_disk(stores: Stores) -> Iterator[bytes]:
    """Return the content of every file of the data folder, after both stores have flushed everything."""
    async with stores.postgres.connection() as connection:
        await connection.execute("checkpoint")
    await stores.redis.save()
    data = Path(str((await stores.redis.config_get("dir"))["dir"])).parent
    files = [file for file in data.rglob("*") if file.is_file()]
    assert len(files) > 100
    return (file.read_bytes() for file in files)


async def test_no_file_holds_a_secret_or_an_idempotency_key(caller: httpx.AsyncClient, stores: Stores) -> None:
    """Neither key nor client secrets, also not in the stored answers, nor the keys that would decrypt those."""
    key, name = "4b1d0c7e-5f0a-4c7e-9b60-idempotency", "a name to be found"
    made = []
    for path in ("/v1/api-keys", "/v1/applications"):
        body = {"name": name, "scopes": ["products:read"]}
        made.append(await caller.post(path, json=body, headers={"Idempotency-Key": key + path}))
    made.append(await caller.post(f"{made[1].headers['Location']}/secret", headers={"Idempotency-Key": key}))
    shown = [response.json()["data"] for response in made]
    secrets = [shown[0]["key"], shown[1]["client_secret"], shown[2]["client_secret"], key]

    found = {text for content in await on_disk(stores) for text in (*secrets, name) if text.encode() in content}

    assert found == {name}


def test_a_stored_answer_opens_with_its_own_key_only() -> None:
    """Another Idempotency-Key, another caller, another request, or a changed byte: decryption fails."""
    seal = Seal("key_1", "k")
    sealed = seal.close(b"secret", b"request")
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])

    assert seal.open(sealed, b"request") == b"secret"
    attempts = [
        (Seal("key_1", "l"), sealed, b"request"),
        (Seal("key_2", "k"), sealed, b"request"),
        (seal, sealed, b"other"),
        (seal, changed, b"request"),
    ]
    for other, body, context in attempts:
        with pytest.raises(InvalidTag):
            other.open(body, context)


def test_an_answer_is_never_encrypted_alike_twice() -> None:
    """Two ciphertexts of one answer differ, and the row's lookup value reveals nothing of the key."""
    seal = Seal("key_1", "k")

    assert seal.close(b"x", b"") != seal.close(b"x", b"")
    assert seal.name == Seal("key_1", "k").name
    assert len({seal.name, Seal("key_2", "k").name, Seal("key_1", "l").name}) == 3
    assert "'k'" not in repr(seal)
