"""The TLS settings that all clients share: making them takes longer than all the rest of a client."""

from __future__ import annotations

import os
import ssl
from functools import lru_cache

import certifi

from redcore.exceptions import ConfigurationError


def tls() -> ssl.SSLContext:
    """The TLS settings of this process: `SSL_CERT_FILE` and `SSL_CERT_DIR` choose the certificate authorities.

    Raises:
        ConfigurationError: they cannot be used.
    """
    try:
        return _tls(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
    except OSError as problem:
        raise ConfigurationError(f"SSL_CERT_FILE or SSL_CERT_DIR cannot be used: {problem}") from problem


@lru_cache(maxsize=8)
def _tls(cert_file: str | None, cert_dir: str | None) -> ssl.SSLContext:
    if cert_file or cert_dir:
        return ssl.create_default_context(cafile=cert_file, capath=cert_dir)
    return ssl.create_default_context(cafile=certifi.where())
