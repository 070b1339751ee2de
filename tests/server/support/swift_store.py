"""An S3 store for the tests: OpenStack Swift, in a process of its own."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs
import httpx
import obstore
from obstore.store import S3Store

PROGRAM = Path(__file__).with_name("swift_process.py")
BUCKET = "files"
KEY = "test:tester"  # as swift_process.py makes it
SECRET = "testing"


@attrs.frozen
class Swift:
    """A running store with one bucket."""

    endpoint: str

    def settings(self) -> dict[str, Any]:
        """Settings of a server that keeps its objects in a folder of its own in the bucket."""
        return {
            "objects_url": f"s3://{BUCKET}/{uuid.uuid4().hex}",
            "s3_endpoint": self.endpoint,
            "s3_access_key_id": KEY,
            "s3_secret_access_key": SECRET,
        }


@contextlib.contextmanager
def swift_in(folder: Path) -> Iterator[Swift]:
    """Run a store whose objects are in a folder."""
    command = [sys.executable, "-W", "ignore", str(PROGRAM), str(folder)]  # eventlet warns about its deprecation
    with (
        (folder / "swift.log").open("w") as log,
        subprocess.Popen(  # noqa: S603 (our own program)
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        assert process.stdout is not None
        try:
            port = process.stdout.readline().strip()
            assert port, (folder / "swift.log").read_text()
            swift = Swift(f"http://127.0.0.1:{port}")
            make_bucket(swift)
            yield swift
        finally:
            process.kill()


def make_bucket(swift: Swift) -> None:
    """Make the bucket, which the object stores of servers never do."""
    store = S3Store(
        BUCKET,
        endpoint=swift.endpoint,
        region="us-east-1",
        access_key_id=KEY,
        secret_access_key=SECRET,
        client_options={"allow_http": True},
    )
    address = obstore.sign(store, "PUT", "", timedelta(minutes=1))
    httpx.put(address, trust_env=False, timeout=30.0).raise_for_status()
