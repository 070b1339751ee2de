"""An object store of two regions for the topology: OpenStack Swift, a region and a balancer in each zone."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import httpx
import obstore
from obstore.store import S3Store

from redcore_server.process.topology.layout import ObjectStore
from redcore_server.process.topology.network import ZONES, Network, system_program
from redcore_server.process.topology.program import Program
from redcore_server.process.topology.stores import DEPLOY

REGION = Path(__file__).with_name("swift_region.py")
PYTHON = [sys.executable, "-W", "ignore"]  # eventlet warns about its deprecation
BUCKET = "files"
KEY, SECRET = "test:tester", "testing"  # as swift_region.py makes them
READY_S = 60.0
PROXY, BALANCER = 14940, 14900


def two_regions(folder: Path, network: Network) -> ObjectStore:
    """Run the store of a topology; its files are in the topology's folder."""
    home = folder / "swift"
    home.mkdir()
    hosts = [network.ip(zone, 40) for zone in ZONES]
    subprocess.run([*PYTHON, str(REGION), "rings", str(home), *hosts], check=True)  # noqa: S603 - our own program
    logs = folder / "logs"
    regions = [_region(home, logs, network, zone) for zone in ZONES]
    balancers = [_balancer(logs, network, zone) for zone in ZONES]
    endpoints = {zone: f"http://{network.ip(zone, 3)}:{BALANCER}" for zone in ZONES}
    environment = {zone: _environment(endpoint) for zone, endpoint in endpoints.items()}
    return ObjectStore([*regions, *balancers], environment, lambda: [*map(_make_bucket, endpoints.values())])


def _region(home: Path, logs: Path, network: Network, zone: str) -> Program:
    arguments = ["serve", str(home), network.ip(zone, 40), str(ZONES.index(zone) + 1)]
    return Program(
        name=f"region-{zone}", command=[*PYTHON, str(REGION), *arguments], logs=logs, enter=network.enter(zone)
    )


def _balancer(logs: Path, network: Network, zone: str) -> Program:
    (other,) = (each for each in ZONES if each != zone)
    environment = {
        "OBJECTS_BIND": f"{network.ip(zone, 3)}:{BALANCER}",
        "OBJECTS_NEAR": f"{network.ip(zone, 40)}:{PROXY}",
        "OBJECTS_FAR": f"{network.ip(other, 40)}:{PROXY}",
    }
    command = [system_program("haproxy"), "-db", "-f", str(DEPLOY / "haproxy" / "objects.cfg")]
    enter = network.enter(zone)
    return Program(name=f"objects-{zone}", command=command, environment=environment, logs=logs, enter=enter)


def _environment(endpoint: str) -> dict[str, str]:
    return {
        "REDCORE_SERVER_OBJECTS_URL": f"s3://{BUCKET}/objects",
        "REDCORE_SERVER_S3_ENDPOINT": endpoint,
        "REDCORE_SERVER_S3_ACCESS_KEY_ID": KEY,
        "REDCORE_SERVER_S3_SECRET_ACCESS_KEY": SECRET,
    }


def _make_bucket(endpoint: str) -> None:
    """Make the bucket, once the store answers; an existing one is fine."""
    store = S3Store(
        BUCKET,
        endpoint=endpoint,
        region="us-east-1",
        access_key_id=KEY,
        secret_access_key=SECRET,
        client_options={"allow_http": True},
    )
    address = obstore.sign(store, "PUT", "", timedelta(minutes=5))
    deadline = time.monotonic() + READY_S
    while True:
        try:
            if httpx.put(address, trust_env=False, timeout=10.0).status_code in {200, 409}:
                return
        except httpx.TransportError:
            pass
        if time.monotonic() > deadline:
            raise TimeoutError(f"the object store at {endpoint} does not answer")
        time.sleep(0.2)
