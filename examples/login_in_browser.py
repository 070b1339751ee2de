"""Logs the person at this machine in, by the browser.

REDCORE_CLIENT_ID is a registered application.
"""

import os

from redcore import Client, login


def main() -> None:
    client_id, secret = (
        os.environ["REDCORE_CLIENT_ID"],
        os.environ.get("REDCORE_CLIENT_SECRET"),
    )
    tokens = login.in_browser(
        client_id=client_id, client_secret=secret, scope="profile:read"
    )
    with Client.from_tokens(
        tokens, client_id=client_id, client_secret=secret
    ) as client:
        print(client.users.get_me().name)


if __name__ == "__main__":
    main()
