"""OpenStack Swift in one process: a proxy that speaks S3, with the account, container and object servers behind it.

Run as a program with a folder for its data: it prints the port it listens on, on loopback, and ends when its input
ends, so that a test that dies does not leave it behind. It cannot run in the process of the tests, because eventlet
replaces the sockets and threads of its process.
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
from eventlet.hubs import trampoline  # noqa: E402
from swift.common import storage_policy, utils  # noqa: E402
from swift.common.ring import RingBuilder  # noqa: E402
from swift.common.wsgi import SwiftHttpProtocol, loadapp  # noqa: E402

HOST = "127.0.0.1"

STORAGE = """
[DEFAULT]
devices = {folder}
swift_dir = {folder}
mount_check = false
fallocate_reserve = 0
[app:main]
use = egg:swift#{kind}
"""
PROXY = """
[DEFAULT]
swift_dir = {folder}
[pipeline:main]
pipeline = catch_errors listing_formats s3api tempauth symlink slo versioned_writes proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
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


def serve(folder: Path, kind: str, config: str) -> int:
    """Start a server of a kind in the background; return its port."""
    file = folder / f"{kind}.conf"
    file.write_text(config.format(folder=folder, kind=kind))
    listener = eventlet.listen((HOST, 0))
    app: Any = loadapp(str(file))
    # S3's clients look for `ETag`, which eventlet would write as `Etag`.
    options = {"protocol": SwiftHttpProtocol, "capitalize_response_headers": False, "log_output": False}
    eventlet.spawn(wsgi.server, listener, app, **options)
    port: int = listener.getsockname()[1]
    return port


def make_ring(folder: Path, kind: str, port: int) -> None:
    """Write the ring of a kind of server, with one device and one replica."""
    builder = RingBuilder(part_power=1, replicas=1, min_part_hours=0)
    device = {"id": 0, "region": 1, "zone": 1, "ip": HOST, "port": port, "device": "disk", "weight": 1.0}
    builder.add_dev({**device, "replication_ip": HOST, "replication_port": port})
    builder.rebalance(seed=1)
    builder.get_ring().save(str(folder / f"{kind}.ring.gz"))


def main(folder: Path) -> None:
    """Run until the input ends."""
    (folder / "disk").mkdir()
    configuration = folder / "swift.conf"
    configuration.write_text("[swift-hash]\nswift_hash_path_suffix = test\n[storage-policy:0]\nname = only\n")
    utils.SWIFT_CONF_FILE = str(configuration)  # the programs of Swift read /etc/swift
    utils.validate_hash_conf()
    storage_policy.reload_storage_policies()
    for kind in ("account", "container", "object"):
        make_ring(folder, kind, serve(folder, kind, STORAGE))
    print(serve(folder, "proxy", PROXY), flush=True)  # noqa: T201 (its answer to the tests)
    trampoline(sys.stdin, read=True)  # nothing is ever written to it, so this waits for its end


if __name__ == "__main__":
    main(Path(sys.argv[1]))
