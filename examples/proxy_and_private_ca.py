"""A client behind a corporate proxy that shows a certificate of a private authority.

HTTPS_PROXY, NO_PROXY and SSL_CERT_FILE are enough in most cases; this is the same.
"""

import os
import ssl

import httpx

from redcore import Client


def make_http(proxy: str | None, authorities: str | None) -> httpx.Client:
    """Make a client with this proxy and these authorities, beside the system's."""
    context = ssl.create_default_context()
    if authorities:
        context.load_verify_locations(authorities)
    return httpx.Client(proxy=proxy, verify=context, trust_env=False)


def main() -> None:
    proxy, authorities = (
        os.environ.get("CORPORATE_PROXY"),
        os.environ.get("CORPORATE_CA"),
    )
    with make_http(proxy, authorities) as http, Client(http_client=http) as client:
        print(client.users.get_me().email)


if __name__ == "__main__":
    main()
