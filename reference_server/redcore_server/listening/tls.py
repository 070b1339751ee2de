"""The TLS certificate of the gateway: a configured one, or a self-made one for development.

The development certificate is signed by a private authority that is created once in the data folder. Clients that trust
`tls/ca.pem` therefore trust it after every restart.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Final

from redcore_server.data_folder import write_private
from redcore_server.settings import LOOPBACK_HOSTS, PREFIX, Settings, SettingsError

if TYPE_CHECKING:  # without TLS, or with a real certificate, nothing else of the server needs it: 5 % of its start
    import trustme

_AUTHORITY_KEY: Final = "ca.key"


def authority_file(data: Path) -> Path:
    """Return the path of the development authority's certificate, for clients to trust.

    Args:
        data: The data folder.
    """
    return data / "tls" / "ca.pem"


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """Return the TLS context of the server; None if TLS is off.

    Raises:
        SettingsError: The certificate or its key cannot be used.
    """
    if not settings.has_tls:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 9325 section 3.1.1
    context.set_alpn_protocols(["http/1.1"])
    if settings.tls_certificate is not None and settings.tls_key is not None:
        _load(context, settings.tls_certificate, settings.tls_key)
    else:
        leaf = _authority(settings.data).issue_cert(*sorted(LOOPBACK_HOSTS | {settings.host}))
        leaf.configure_cert(context)  # pyright: ignore[reportUnknownMemberType] - it also accepts pyOpenSSL contexts
    return context


def _load(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    for name, file in (("CERTIFICATE", certificate), ("KEY", key)):
        if not file.is_file():
            raise SettingsError(f"{PREFIX}TLS_{name}", f"names no file: {file}")
    try:
        # A key with a passphrase is refused: OpenSSL would prompt for it at the terminal.
        context.load_cert_chain(certificate, key, password=lambda: "")
    except (ssl.SSLError, OSError) as error:
        reason = getattr(error, "reason", None) or error.strerror
        raise SettingsError(
            f"{PREFIX}TLS_CERTIFICATE", f"and {PREFIX}TLS_KEY are not a certificate and its key in PEM form ({reason})"
        ) from None


def _authority(data: Path) -> trustme.CA:
    import trustme  # noqa: PLC0415 - as above

    certificate = authority_file(data)
    key = certificate.with_name(_AUTHORITY_KEY)
    if certificate.exists() and key.exists():
        try:
            return trustme.CA.from_pem(certificate.read_bytes(), key.read_bytes())
        except ValueError:
            problem = f"cannot use the authority in {certificate.parent}; delete the folder, and a new one is made"
            raise SettingsError(f"{PREFIX}TLS", problem) from None
    authority = trustme.CA(organization_name="RedCore reference server")
    certificate.parent.mkdir(mode=0o700, exist_ok=True)
    write_private(key, authority.private_key_pem.bytes().decode())
    write_private(certificate, authority.cert_pem.bytes().decode())
    return authority
