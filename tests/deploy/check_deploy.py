"""Check the files of `reference_server/deploy/` with the programs that read them; `nox -s deploy` runs it.

Helm's own engine lints and renders the chart (package helm-python-sdk), Kubernetes' strict schemas check what it
renders (kubernetes-validate), HAProxy reads its configurations, Patroni its own, dclint checks compose.yaml against the
specification, and checkov looks for what is unsafe.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import helm_python
import kubernetes_validate
import trustme
import yaml

DEPLOY = Path(__file__).parents[2] / "reference_server" / "deploy"
KUBERNETES = "1.33"
CUSTOM = ("postgresql.cnpg.io", "barmancloud.cnpg.io")  # CloudNativePG's own kinds: Kubernetes has no schema for them
DCLINT = "dclint@3.1.0"
DISABLED = ("no-unbound-port-interfaces",)  # the balancer is public
# Checks of checkov that do not apply here, and why.
SKIPPED = {
    "CKV_K8S_14": "the tag is the version of the chart; `image.digest` pins it",
    "CKV_K8S_43": "the digest is the operator's to set, see values.yaml",
}


def main() -> int:
    """Return 0 if all checks pass."""
    problems = [*haproxy(), *patroni(), *redis(), *compose(), *chart(), *checkov()]
    for problem in problems:
        print(problem)
    print(f"{6 - len({problem.split(':')[0] for problem in problems})} passed, {len(problems)} failed")
    return 1 if problems else 0


def haproxy() -> Iterator[str]:
    """Let HAProxy read its configurations, with TLS and without, and check that its own answers are well-formed."""
    environment = {
        "ZONE_BIND": "127.0.0.1:8080",
        "ZONE_NODES": "127.0.0.1:4010",
        "ZONE_SOCKET": "/tmp/zone.sock",  # noqa: S108 - it is not opened
        "ERRORS": str(DEPLOY / "haproxy" / "errors"),
        "PUBLIC_BIND": "127.0.0.1:8443",
        "ZONE_A": "127.0.0.1:8080",
        "ZONE_B": "127.0.0.1:8081",
        "OBJECTS_BIND": "127.0.0.1:9000",
        "OBJECTS_NEAR": "127.0.0.1:9001",
        "OBJECTS_FAR": "127.0.0.1:9002",
    }
    with tempfile.TemporaryDirectory() as folder:
        authority = trustme.CA()
        certificate, trusted = Path(folder, "edge.pem"), Path(folder, "ca.pem")
        authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(certificate))
        authority.cert_pem.write_to_path(str(trusted))
        files = {"ZONES_AUTHORITY": str(trusted), "NODES_AUTHORITY": str(trusted), "ZONE_CERTIFICATE": str(certificate)}
        tls = {**files, "NODES_NAME": "node.redcore.internal"}
        for name, more in itertools.product(("zone.cfg", "global.cfg", "objects.cfg"), ({}, tls)):
            file = DEPLOY / "haproxy" / name
            yield from _run("haproxy", "haproxy", "-c", "-dW", "-f", file, environment={**environment, **more})
        snippet = (DEPLOY / "chart" / "files" / "backend.cfg").read_text()
        controller = Path(folder, "controller.cfg")  # as the ingress controller puts it into a backend
        times = "timeout client 1s\ntimeout connect 1s\ntimeout server 1s"
        entry = "frontend entry\nbind 127.0.0.1:8080\ndefault_backend nodes"
        controller.write_text(f"defaults\nmode http\n{times}\n{entry}\nbackend nodes\n{snippet}")
        yield from _run("haproxy", "haproxy", "-c", "-dW", "-f", controller)
    for file in (DEPLOY / "haproxy" / "errors").glob("*.http"):
        head, _, body = file.read_bytes().partition(b"\r\n\r\n")
        if f"Content-Length: {len(body)}".encode() not in head or "error" not in json.loads(body):
            yield f"haproxy: {file.name} is not an envelope of the length it says"


def patroni() -> Iterator[str]:
    """Let Patroni validate its configuration."""
    folder = tempfile.mkdtemp()
    where = {
        "PATRONI_NAME": "a",
        "PATRONI_RESTAPI_LISTEN": "127.0.0.1:18008",
        "PATRONI_RESTAPI_CONNECT_ADDRESS": "127.0.0.1:18008",
        "PATRONI_POSTGRESQL_LISTEN": "127.0.0.1:15432",
        "PATRONI_POSTGRESQL_CONNECT_ADDRESS": "127.0.0.1:15432",
        "PATRONI_POSTGRESQL_DATA_DIR": f"{folder}/data",
        "PATRONI_ETCD3_HOSTS": "127.0.0.1:2379",
        "PATRONI_SUPERUSER_PASSWORD": "x",
        "PATRONI_REPLICATION_PASSWORD": "x",
    }
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "patroni",
        "--validate-config",
        DEPLOY / "postgres" / "patroni.yml",
    ]
    for line in _run("patroni", *command, environment=where):
        # It also needs a running etcd and the programs of PostgreSQL, which the topology session has.
        if "is not a valid" in line or "Unexpected" in line:
            yield line
    shutil.rmtree(folder)


def redis() -> Iterator[str]:
    """Check the directives that the platform relies on."""
    lines = (DEPLOY / "redis" / "redis.conf").read_text().splitlines()
    for directive in (
        "cluster-enabled yes",
        "appendonly yes",
        "min-replicas-to-write 1",
        "maxmemory-policy noeviction",
    ):
        if directive not in lines:
            yield f"redis: {directive} is missing"


def compose() -> Iterator[str]:
    """Let dclint check compose.yaml against the specification, and check that the files it names exist."""
    npx = Path(sys.executable).with_name("npx")
    options = ["--quiet", "--disable-rule", *DISABLED]
    yield from _run("compose", npx, "--yes", "--loglevel=error", DCLINT, str(DEPLOY / "compose.yaml"), *options)
    document = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    more = yaml.safe_load((DEPLOY / "compose.restore.yaml").read_text())
    for name, service in [*document["services"].items(), *more["services"].items()]:
        for secret in service.get("secrets", []):
            source = secret if isinstance(secret, str) else secret["source"]
            if source not in document["secrets"]:
                yield f"compose: {name} uses a secret that is not there, {source}"
        for volume in service.get("volumes", []):
            source, _, _ = volume.partition(":")
            there = (DEPLOY / source).exists() if source.startswith(".") else source in document["volumes"]
            if not there:
                yield f"compose: {name} mounts what is not there, {source}"


def chart() -> Iterator[str]:
    """Lint and render the chart, and check each object against Kubernetes' strict schema."""
    report = helm_python.lint(DEPLOY / "chart", strict=True, kube_version=f"v{KUBERNETES}.0")
    yield from (
        f"chart: {message['path']}: {message['error']}" for message in report["messages"] if message["severity"] > 1
    )
    recovery = {"targetTime": "2026-03-01 12:00:00+00", "from": "redcore-postgres"}
    restored = rendered({"postgres": {"name": "restored", "recovery": recovery}})
    for document in [*rendered(), *rendered(is_upgrade=True), *restored]:
        if not str(document["apiVersion"]).startswith(CUSTOM):
            try:
                kubernetes_validate.validate(document, KUBERNETES, strict=True)
            except kubernetes_validate.ValidationError as error:
                yield f"chart: {document['kind']} {document['metadata']['name']}: {error.message} at {error.path}"


def rendered(values: dict[str, Any] | None = None, *, is_upgrade: bool = False) -> list[dict[str, Any]]:
    """Return the objects of the chart with its default values, or with others."""
    with helm_python.Chart.load(DEPLOY / "chart") as loaded:
        texts = loaded.render(name="redcore", namespace="redcore", values=values or {}, is_upgrade=is_upgrade).values()
    return [document for text in texts for document in yaml.safe_load_all(text) if isinstance(document, dict)]


def checkov() -> Iterator[str]:
    """Let checkov look for what is unsafe in the image and in the rendered chart."""
    with tempfile.TemporaryDirectory() as folder:
        for index, document in enumerate(rendered()):
            Path(folder, f"{index}.yaml").write_text(yaml.safe_dump(document))
        shutil.copy(DEPLOY / "Dockerfile", folder)
        frameworks = ["--framework", "kubernetes", "dockerfile"]
        skipped = ["--skip-check", ",".join(SKIPPED)]
        program = Path(sys.executable).with_name("checkov")
        quiet = ["--compact", "--quiet", "--skip-download"]  # the texts of explanations, from the internet
        yield from _run("checkov", program, "-d", folder, *quiet, *frameworks, *skipped)


def _run(tool: str, *command: str | Path, environment: dict[str, str] | None = None) -> Iterator[str]:
    done = subprocess.run(  # noqa: S603 - programs of this list
        list(map(str, command)), env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        yield from (f"{tool}: {line}" for line in (done.stdout or done.stderr).splitlines() if line.strip())


if __name__ == "__main__":
    sys.exit(main())
