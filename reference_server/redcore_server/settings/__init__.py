"""Settings of the reference server: parses the environment into one frozen record.

Reads `REDCORE_SERVER_*` and the secret files they name; opens no connection. Every setting has a default, so an empty
environment starts a server. Error messages name the variable at fault and never repeat a value that may contain a
password.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any, ClassVar, cast

import attrs
import platformdirs

from redcore_server.settings import values

PREFIX = "REDCORE_SERVER_"
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})
_REACHABLE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - the address to reach a server that listens on all interfaces
SECRETS = frozenset({"database_url", "replica_url", "redis_url", "s3_secret_access_key", "smtp_url"})
"""Settings that can be read from files, the way Docker, Kubernetes and systemd provide secrets."""
LOG_LEVELS = ("debug", "info", "warning", "error", "critical")


class OperatorError(Exception):
    """An error that only the operator can fix; the command line prints it as one line.

    Attributes:
        exit_code: 2 if the next start would fail too.
    """

    exit_code: ClassVar[int] = 2


class SettingsError(OperatorError):
    """A setting is unusable; `variable` names it."""

    def __init__(self, variable: str, problem: str) -> None:
        super().__init__(f"{variable} {problem}")
        self.variable = variable


def _default_data() -> Path:
    return Path(platformdirs.user_data_dir("redcore-server"))


@attrs.frozen(kw_only=True)
class Settings:
    """The configuration of this server.

    Attributes:
        host: Address to listen on.
        port: TCP port to listen on; 0 takes any free one.
        data: Folder for everything that must outlive the process.
        database_url: PostgreSQL to use; None starts the embedded one.
        replica_url: A replica of that PostgreSQL for reads; None reads from the primary.
        database_connections: Maximum connections of each process to each PostgreSQL server.
        redis_url: Redis or Redis Cluster to use; None starts the embedded one.
        redis_connections: Maximum connections of each process to each Redis server.
        redis_milliseconds: How long Redis may take to answer; after that the request is answered 503.
        start_seconds: How long a process waits at startup for stores that do not answer; 0 exits at once.
        migrate_at_start: Whether services and workers apply missing migrations, or wait for `redcore-server migrate`.
        objects_url: Where files are kept, `file:///folder` or `s3://bucket/prefix`; None means `<data>/objects`.
        s3_endpoint: Origin of an S3-compatible store; None means Amazon S3.
        s3_region: Region of the bucket.
        s3_access_key_id: Access key id for the store.
        s3_secret_access_key: Secret of the access key.
        max_file_bytes: Maximum size of an uploaded file, in bytes.
        storage_bytes: Storage quota of an organisation, in bytes; its deleted files that are kept, and uploads on their
            way, take at most as much again, each.
        retention_days: How long the bytes of a deleted file are kept, in case the database is restored to an earlier
            moment.
        smtp_url: Mail server for invitations; None writes them to `<data>/outbox`.
        mail_from: Sender of the invitations.
        public_url: Origin under which clients reach the server; None means the listening address.
        tls: Serve TLS, with a self-signed certificate for development unless one is configured.
        tls_certificate: PEM file of the certificate and its intermediate certificates; enables TLS.
        tls_key: PEM file of its private key.
        trusted_proxies: Addresses or networks of load balancers, separated by commas, whose `X-Forwarded-For` and
            `X-Forwarded-Proto` are trusted.
        cors_origins: Origins, separated by commas, whose pages may call the server from a browser; `*` for any.
        auth_url: URL of the auth service for a gateway in its own process.
        api_url: URL of the API for a gateway in its own process.
        lab: Test mode: scripted faults, an adjustable clock, a readable outbox.
        enterprise_per_minute: Requests per minute for a credential on the enterprise plan.
        enterprise_per_second: Requests per second for a credential on the enterprise plan.
        anonymous_per_minute: Requests per minute for a client address without a credential.
        anonymous_per_second: Requests per second for a client address without a credential.
        secret_overlap_hours: How long a client secret stays valid after it is replaced.
        signing_key_days: How long a key signs access tokens before it is rotated.
        client_seconds: How long the server waits for the head of a request or the next part of a body.
        stop_notice_seconds: How long `/readyz` reports a shutdown before connections are refused.
        drain_seconds: How long running requests may take to finish at shutdown; then they are cut off.
        log_level: Lowest severity that is logged.
    """

    host: str = "127.0.0.1"
    port: int = 4010
    data: Path = attrs.field(factory=_default_data)
    database_url: str | None = attrs.field(default=None, repr=False)
    replica_url: str | None = attrs.field(default=None, repr=False)
    database_connections: int = 20
    redis_url: str | None = attrs.field(default=None, repr=False)
    redis_connections: int = 20
    redis_milliseconds: int = 1000
    start_seconds: int = 0
    migrate_at_start: bool = True
    objects_url: str | None = None
    s3_endpoint: str | None = None
    s3_region: str = "us-east-1"
    s3_access_key_id: str | None = None
    s3_secret_access_key: str | None = attrs.field(default=None, repr=False)
    max_file_bytes: int = 5 * 1024**3
    storage_bytes: int = 20 * 1024**3
    retention_days: int = 30
    smtp_url: str | None = attrs.field(default=None, repr=False)
    mail_from: str = "BlueRound <no-reply@blueround.com>"
    public_url: str | None = None
    tls: bool = False
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    trusted_proxies: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()
    auth_url: str = "http://127.0.0.1:4011"
    api_url: str = "http://127.0.0.1:4012"
    lab: bool = False
    enterprise_per_minute: int = 6000
    enterprise_per_second: int = 200
    anonymous_per_minute: int = 600
    anonymous_per_second: int = 50
    secret_overlap_hours: int = 24
    signing_key_days: int = 90
    client_seconds: int = 30
    stop_notice_seconds: int = 0
    drain_seconds: int = 20
    log_level: str = "info"

    def __attrs_post_init__(self) -> None:
        """Reject invalid combinations of settings."""
        if self.lab and self.host not in LOOPBACK_HOSTS:
            # Anyone who can reach the lab can read invitations and move the clock.
            raise SettingsError(
                f"{PREFIX}LAB", f"needs a loopback host, not {self.host}: use --host 127.0.0.1 or {PREFIX}HOST"
            )
        if (self.tls_certificate is None) != (self.tls_key is None):
            missing, given = ("KEY", "CERTIFICATE") if self.tls_key is None else ("CERTIFICATE", "KEY")
            raise SettingsError(f"{PREFIX}TLS_{missing}", f"is missing: {PREFIX}TLS_{given} is set")

    @property
    def has_tls(self) -> bool:
        """Whether the gateway serves TLS itself."""
        return self.tls or self.tls_certificate is not None

    @property
    def is_public_tls(self) -> bool:
        """Whether clients use TLS with a permanent host name, so that HSTS may be sent to browsers."""
        return self.public_url is not None and self.public_url.startswith("https:")

    @property
    def origin(self) -> str:
        """The origin clients use, without a trailing slash."""
        if self.public_url is not None:
            return self.public_url
        host = _REACHABLE.get(self.host, self.host)
        return f"{'https' if self.has_tls else 'http'}://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def base_url(self) -> str:
        """The `base_url` for an SDK, also the audience of access tokens."""
        return f"{self.origin}/v1"

    @property
    def shows_outbox(self) -> bool:
        """Whether mail can be read at `/outbox`: mail is kept in files and only this machine can reach the server."""
        return self.smtp_url is None and self.is_local

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the server."""
        return self.public_url is None and self.host in LOOPBACK_HOSTS

    @property
    def secret_overlap(self) -> timedelta:
        """`secret_overlap_hours` as a duration."""
        return timedelta(hours=self.secret_overlap_hours)

    @property
    def retention(self) -> timedelta:
        """`retention_days` as a duration."""
        return timedelta(days=self.retention_days)

    @property
    def signing_key_period(self) -> timedelta:
        """`signing_key_days` as a duration."""
        return timedelta(days=self.signing_key_days)

    @property
    def objects(self) -> Path:
        """The folder of stored files, unless `objects_url` is set."""
        return self.data / "objects"

    @property
    def credentials(self) -> Path:
        """The file with the credentials of the data folder's first organisation."""
        return self.data / "credentials.env"

    @property
    def outbox(self) -> Path:
        """The folder of unsent mail, one `.eml` file per invitation."""
        return self.data / "outbox"


def from_environment(environ: Mapping[str, str] = os.environ) -> Settings:
    """Parse the settings from environment variables.

    A setting with a secret can be read from a file: `REDCORE_SERVER_DATABASE_URL_FILE` names it, for example.

    Args:
        environ: Variables by name; an empty value counts as not set.

    Raises:
        SettingsError: A value cannot be used.
    """
    found: dict[str, Any] = {}
    for field, parse in _PARSERS.items():
        variable = PREFIX + field.upper()
        if text := environ.get(variable, "").strip() or _secret(environ, field):
            found[field] = _parsed(variable, text, parse)
    return Settings(**found)


def _secret(environ: Mapping[str, str], field: str) -> str:
    """Return the content of a secret's file; empty if no file is set."""
    variable = f"{PREFIX}{field.upper()}_FILE"
    path = environ.get(variable, "").strip()
    if not path:
        return ""
    if field not in SECRETS:
        raise SettingsError(variable, f"is not a setting: only {', '.join(sorted(SECRETS))} may be in files")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:
        raise SettingsError(variable, f"names a file that cannot be read ({type(error).__name__})") from None


def misspelt(environ: Mapping[str, str]) -> list[str]:
    """Return a line for each unknown variable that begins as ours do, in any case, with the closest known name.

    Args:
        environ: Variables by name.
    """
    known = [*map(str.upper, _PARSERS), *(f"{field.upper()}_FILE" for field in SECRETS)]
    ours = {PREFIX + name for name in known}
    lines: list[str] = []
    for name in sorted(environ.keys() - ours):
        beginning, _, rest = name.upper().partition(PREFIX.removesuffix("_"))
        if beginning or not rest:
            continue
        nearest = get_close_matches(rest.removeprefix("_"), known, 1)
        advice = f"; did you mean {PREFIX}{nearest[0]}?" if nearest else ""
        lines.append(f"{name} is not a setting{advice}")
    return lines


def overview(settings: Settings, environ: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Return the name of each variable, its value for display, and its source.

    Args:
        settings: Settings parsed from that environment.
        environ: Variables by name.
    """
    rows: list[tuple[str, str, str]] = []
    for field in attrs.fields(Settings):
        variable, value = PREFIX + field.name.upper(), getattr(settings, field.name)
        is_set = bool(environ.get(variable, "").strip() or environ.get(f"{variable}_FILE", "").strip())
        shown = (
            ",".join(cast("tuple[str, ...]", value))
            if isinstance(value, tuple)
            else ""
            if value is None
            else str(value)
        )
        rows.append((variable, "…" if shown and not field.repr else shown, "environment" if is_set else "default"))
    return rows


def _parsed(variable: str, text: str, parse: Callable[[str], object]) -> object:
    try:
        return parse(text)
    except ValueError as error:
        # No chained cause: it could quote the value, and with it a password.
        raise SettingsError(variable, str(error)) from None


_requests = values.integer(1, 10_000_000)
_bytes = values.integer(1, 2**53)

_PARSERS: Mapping[str, Callable[[str], object]] = {
    "host": str,
    "port": values.integer(0, 65535),
    "data": values.path,
    "database_url": values.url("postgresql", "postgres"),
    "replica_url": values.url("postgresql", "postgres"),
    "database_connections": values.integer(2, 1000),
    "redis_connections": values.integer(2, 1000),
    "redis_milliseconds": values.integer(10, 60_000),
    "start_seconds": values.integer(0, 3600),
    "migrate_at_start": values.switch,
    "redis_url": values.url("redis", "rediss", "unix", "redis+cluster", "rediss+cluster"),
    "objects_url": values.url("file", "s3"),
    "s3_endpoint": values.origin,
    "s3_region": str,
    "s3_access_key_id": str,
    "s3_secret_access_key": str,
    "max_file_bytes": _bytes,
    "storage_bytes": _bytes,
    "retention_days": values.integer(0, 3650),
    "smtp_url": values.url("smtp", "smtps", "smtp+starttls"),
    "mail_from": str,
    "public_url": values.origin,
    "tls": values.switch,
    "tls_certificate": values.path,
    "tls_key": values.path,
    "trusted_proxies": values.separated(values.network),
    "cors_origins": values.separated(lambda text: text if text == "*" else values.origin(text)),
    "auth_url": values.origin,
    "api_url": values.origin,
    "lab": values.switch,
    "enterprise_per_minute": _requests,
    "enterprise_per_second": _requests,
    "anonymous_per_minute": _requests,
    "anonymous_per_second": _requests,
    "secret_overlap_hours": values.integer(0, 24 * 365),
    "signing_key_days": values.integer(1, 3650),
    "client_seconds": values.integer(1, 3600),
    "stop_notice_seconds": values.integer(0, 3600),
    "drain_seconds": values.integer(1, 3600),
    "log_level": values.one_of(*LOG_LEVELS),
}
