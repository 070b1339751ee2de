"""Logs in a person who has a browser elsewhere.

REDCORE_CLIENT_ID is a registered application.
"""

import os

from redcore import Client, login


def prompt(device: login.DeviceAuthorization) -> None:
    print(f"Open {device.verification_uri} and enter {device.user_code}")


def main() -> None:
    client_id, secret = (
        os.environ["REDCORE_CLIENT_ID"],
        os.environ.get("REDCORE_CLIENT_SECRET"),
    )
    tokens = login.on_device(
        prompt=prompt, client_id=client_id, client_secret=secret, scope="profile:read"
    )
    with Client.from_tokens(
        tokens, client_id=client_id, client_secret=secret
    ) as client:
        print(client.users.get_me().name)


if __name__ == "__main__":
    main()
