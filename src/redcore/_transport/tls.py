"""TLS contexts shared by all clients: creating one takes longer than creating the rest of a client."""

from __future__ import annotations

import errno
import os
import ssl
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias

from redcore._base.causes import chain
from redcore.exceptions import ConfigurationError

Stamp: TypeAlias = tuple[int, int, int] | None

NOT_NOW = {9, 10}  # X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED of OpenSSL
UNKNOWN = {2, 18, 19, 20, 21}  # its codes for an issuer that is not trusted, or a certificate without one
STRICT = set(range(80, 95))  # for what it checks with VERIFY_X509_STRICT only, which Python sets since 3.13
NOT_TLS = {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"}  # in some OpenSSL 3 the second hides the first

_made: dict[tuple[str | None, str | None], tuple[dict[str, Stamp], ssl.SSLContext]] = {}
"""By file and folder of the certificate authorities: the state of all files then, and the resulting context."""


class Tls:
    """The TLS context of one transport; created at once only if the environment selects it, which may be a mistake.

    Raises:
        ConfigurationError: `SSL_CERT_FILE` or `SSL_CERT_DIR` cannot be used.
    """

    def __init__(self) -> None:
        self._latest = tls() if any(selected()) else None

    def now(self) -> ssl.SSLContext:
        """Return the context for the next connection, with the current certificate authorities.

        Raises:
            ConfigurationError: the variables have been set since, and cannot be used.
        """
        try:
            self._latest = tls()
        except ConfigurationError:  # the file is being replaced: keep using the previous context
            if self._latest is None:
                raise
        return self._latest


def selected() -> tuple[str | None, str | None]:
    """The file and the folder of certificate authorities that the environment selects."""
    return os.environ.get("SSL_CERT_FILE") or None, os.environ.get("SSL_CERT_DIR") or None


def tls() -> ssl.SSLContext:
    """The TLS context of this process: `SSL_CERT_FILE` and `SSL_CERT_DIR` select the certificate authorities.

    Raises:
        ConfigurationError: they cannot be used.
    """
    cert_file, cert_dir = selected()
    stamps = {path: stamp(path) for path in files(cert_file, cert_dir)}
    held = _made.get((cert_file, cert_dir))
    if held is not None and held[0] == stamps:
        return held[1]
    made = _context(cert_file, cert_dir)
    _made[cert_file, cert_dir] = stamps, made
    return made


def files(cert_file: str | None, cert_dir: str | None) -> list[str]:
    """The paths of all files of certificate authorities.

    Those in folders are listed, as a folder itself does not change when one of its files does, nor when the file that a
    link in it leads to is replaced; OpenSSL reads each when a certificate first needs it, and keeps it from then on.
    """
    paths = [cert_file] if cert_file else []
    for folder in cert_dir.split(os.pathsep) if cert_dir else ():
        with suppress(OSError), os.scandir(folder) as entries:
            paths += [entry.path for entry in entries]
    return paths


def stamp(path: str) -> Stamp:
    """A value that changes when a file is replaced or modified; None if it does not exist."""
    try:
        found = os.stat(path)  # noqa: PTH116 (called for every connection, at a third of the cost of Path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def _context(cert_file: str | None, cert_dir: str | None) -> ssl.SSLContext:
    with usable_files():
        if cert_dir and not cert_file and not any(map(os.path.isdir, cert_dir.split(os.pathsep))):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), cert_dir)  # OpenSSL passes over it
        if cert_file or cert_dir:
            return ssl.create_default_context(cafile=cert_file, capath=cert_dir)
        import certifi  # noqa: PLC0415 (plain HTTP, as to a local server, needs none)

        return ssl.create_default_context(cafile=certifi.where())


@contextmanager
def usable_files() -> Generator[None]:
    """Say which file cannot be used, for code that makes TLS contexts, also while it is imported.

    Raises:
        ConfigurationError: one of the certificate authorities, or the one that `SSLKEYLOGFILE` names.
    """
    try:
        yield
    except OSError as problem:
        if problem.filename is not None and problem.filename == os.environ.get("SSLKEYLOGFILE"):
            blamed = "SSLKEYLOGFILE cannot be written; correct or unset it"
        elif any(selected()):
            blamed = "SSL_CERT_FILE or SSL_CERT_DIR cannot be used"
        else:
            blamed = "the certificate authorities of certifi cannot be read; reinstall certifi, or set SSL_CERT_FILE"
        raise ConfigurationError(f"{blamed}: {problem}") from problem


def name_in_certificate(host: str | None) -> str | None:
    """The name of a host as TLS has it: without the dot at its end (RFC 6066 section 3), and without an IPv6 zone."""
    return host and host.rstrip(".").partition("%")[0]


def advice(problem: BaseException) -> str:
    """What to do about a refused certificate, or a server without TLS: the end of the error's message; often empty."""
    codes = {getattr(each, "verify_code", None) for each in chain(problem)}  # of ssl.SSLCertVerificationError
    if codes & NOT_NOW:
        return "; is the clock of this machine right?"
    if codes & STRICT:
        return "; Python 3.13 and later refuse a certificate that breaks RFC 5280: renew it, or its authority's"
    if any(getattr(each, "reason", None) in NOT_TLS for each in chain(problem)):  # of ssl.SSLError
        return "; what answers there does not speak TLS: is the port right, or is it a server of plain http://?"
    return "; SSL_CERT_FILE names the authorities to trust, such as that of a proxy" if codes & UNKNOWN else ""


def holds_unread(stream: Any) -> bool:
    """Whether a TLS stream has received bytes that it has not handed out, which a look at the socket does not show.

    Those of trio, of anyio, and of httpcore for TLS within TLS, read the socket as far as it goes, and keep what comes
    behind a record in a buffer that has no public name. Other streams have no such buffer.
    """
    while stream is not None:
        incoming: ssl.MemoryBIO | None = getattr(stream, "_incoming", None) or getattr(stream, "_read_bio", None)
        if incoming is not None and incoming.pending:
            return True
        stream = getattr(stream, "transport_stream", None)  # of trio, for TLS within TLS
    return False
