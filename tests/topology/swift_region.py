"""One region of OpenStack Swift in one process: a proxy that speaks S3, two devices and their servers.

Run as a program: `rings FOLDER HOST HOST` writes the rings of two regions, `serve FOLDER HOST NUMBER` serves one of
them. Each object is on one device of each region; while a region is down, the other one takes both copies, and gives
the returning one what it lacks.
"""

from __future__ import annotations

import os

os.environ["EVENTLET_NO_GREENDNS"] = "yes"  # its resolver imports httpcore, and with it trio, on replaced sockets

import eventlet

eventlet.monkey_patch()  # before anything else imports sockets or threads

import sys  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from eventlet import wsgi  # noqa: E402
from swift.common import storage_policy, utils  # noqa: E402
from swift.common.ring import RingBuilder  # noqa: E402
from swift.common.wsgi import SwiftHttpProtocol, loadapp  # noqa: E402
from swift.obj.replicator import ObjectReplicator  # noqa: E402

KINDS = ("account", "container", "object")
FIRST_PORT = 14941  # of the servers of each kind
PROXY_PORT = 14940
DEVICES = ("disk1", "disk2")
REPLICATE_S = 1.0  # between two passes over all objects

STORAGE = """
[DEFAULT]
devices = {devices}
swift_dir = {folder}
mount_check = false
fallocate_reserve = 0
[app:main]
use = egg:swift#{kind}
conn_timeout = 0.3
node_timeout = 1
"""
PROXY = """
[DEFAULT]
swift_dir = {folder}
[pipeline:main]
pipeline = catch_errors healthcheck listing_formats s3api tempauth symlink slo versioned_writes proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
sorting_method = affinity
read_affinity = r{region}=100
conn_timeout = 0.3
node_timeout = 3
recoverable_node_timeout = 1
error_suppression_limit = 2
error_suppression_interval = 5
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
min_segment_size = 1
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:symlink]
use = egg:swift#symlink
[filter:slo]
use = egg:swift#slo
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_object_versioning = true
"""


def make_rings(folder: Path, hosts: list[str]) -> None:
    """Write a ring of each kind of server: two copies, one in each region."""
    for kind, port in zip(KINDS, range(FIRST_PORT, FIRST_PORT + 3), strict=True):
        builder = RingBuilder(part_power=4, replicas=2, min_part_hours=0)
        for region, host in enumerate(hosts, 1):
            for number, device in enumerate(DEVICES):
                where = {"ip": host, "port": port, "replication_ip": host, "replication_port": port}
                identity = {"id": 2 * region + number - 2, "region": region, "zone": 1, "weight": 1.0}
                builder.add_dev({**identity, **where, "device": device})
        builder.rebalance(seed=1)
        builder.get_ring().save(str(folder / f"{kind}.ring.gz"))
    (folder / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = test\n[storage-policy:0]\nname = only\n")


def serve(folder: Path, host: str, region: int) -> None:
    """Serve a region until the end of the process."""
    utils.SWIFT_CONF_FILE = str(folder / "swift.conf")  # the programs of Swift read /etc/swift
    utils.validate_hash_conf()
    storage_policy.reload_storage_policies()
    devices = folder / f"region{region}"
    for device in DEVICES:
        (devices / device).mkdir(parents=True, exist_ok=True)
    for kind, port in zip(KINDS, range(FIRST_PORT, FIRST_PORT + 3), strict=True):
        _listen(devices / f"{kind}.conf", STORAGE.format(folder=folder, devices=devices, kind=kind), (host, port))
    eventlet.spawn(_replicate, folder, devices, host)
    _listen(devices / "proxy.conf", PROXY.format(folder=folder, region=region), (host, PROXY_PORT)).wait()


def _replicate(folder: Path, devices: Path, host: str) -> None:
    """Bring the other region up to date, repeatedly."""
    places = {
        "devices": str(devices),
        "swift_dir": str(folder),
        "mount_check": "false",
        "recon_cache_path": str(devices),
    }
    own = {"ring_ip": host, "bind_ip": host, "bind_port": str(FIRST_PORT + KINDS.index("object"))}
    replicator: Any = ObjectReplicator({**places, **own, "mount_check": "false", "sync_method": "ssync"})
    while True:
        eventlet.sleep(REPLICATE_S)
        replicator.run_once()


def _listen(file: Path, config: str, address: tuple[str, int]) -> Any:
    file.write_text(config)
    app: Any = loadapp(str(file))
    # S3's clients look for `ETag`, which eventlet would write as `Etag`.
    options = {"protocol": SwiftHttpProtocol, "capitalize_response_headers": False, "log_output": False}
    return eventlet.spawn(wsgi.server, eventlet.listen(address), app, **options)


if __name__ == "__main__":
    if sys.argv[1] == "rings":
        make_rings(Path(sys.argv[2]), sys.argv[3:])
    else:
        serve(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
