"""What `redcore-server up` prints once it is ready."""

from __future__ import annotations

import shlex
from typing import Final

from redcore_server.listening.tls import authority_file
from redcore_server.process.seed_credentials import credentials_file
from redcore_server.settings import Settings
from redcore_server.store.address import without_password

_NAME_COLUMNS: Final = 15  # the longest name and the spaces around it


def summary(settings: Settings, *, embedded_postgres: bool, embedded_redis: bool, columns: int | None = None) -> str:
    """Return the summary, ending with the line `ready ORIGIN` that programs wait for.

    Args:
        settings: Settings of the running server, with its actual port.
        embedded_postgres: Whether PostgreSQL is the embedded one.
        embedded_redis: Whether Redis is the embedded one.
        columns: Width of the terminal; None if it is not a terminal.
    """
    credentials = credentials_file(settings.data)
    rows = {
        "API": settings.base_url,
        "Credentials": f". {shlex.quote(str(credentials))}"
        if credentials.exists()
        else "make some: redcore-server seed",
        "PostgreSQL": _store(settings.database_url, embedded=embedded_postgres),
        "Redis": _store(settings.redis_url, embedded=embedded_redis),
        "Data folder": str(settings.data),
        "Mail": _mail(settings),
        **_certificate(settings),
        "Lab": "on: faults, clock and outbox under /lab" if settings.lab else "off",
        "Stop": "Ctrl-C" if columns else f"redcore-server stop --data {shlex.quote(str(settings.data))}",
    }
    # Values are for copying: in a narrow terminal they get lines of their own rather than being broken.
    is_narrow = columns is not None and columns < _NAME_COLUMNS + max(map(len, rows.values()))
    form = "  {}\n    {}" if is_narrow else "  {:<12} {}"
    lines = [form.format(name, value) for name, value in rows.items()]
    return "\n".join(["RedCore reference server", *lines, f"ready {settings.origin}"])


def _certificate(settings: Settings) -> dict[str, str]:
    if not settings.has_tls:
        return {}
    if settings.tls_certificate is not None:
        return {"Certificate": str(settings.tls_certificate)}
    return {"Certificate": f"export SSL_CERT_FILE={shlex.quote(str(authority_file(settings.data)))}"}


def _mail(settings: Settings) -> str:
    if settings.smtp_url:
        return without_password(settings.smtp_url)
    return f"{settings.origin}/outbox" if settings.shows_outbox else f"outbox {settings.outbox}"


def _store(url: str | None, *, embedded: bool) -> str:
    return "embedded" if embedded or url is None else without_password(url)
