"""Measures tokens and introspections a second of one reference server, as ratios to an endpoint that only signs a JWT.

python benchmarks/auth.py [--rounds 15] [--seconds 1] [--connections 16]
"""

from __future__ import annotations

import base64
from urllib.parse import urlencode

import httpx

from load import Subject, arguments, compare, serving
from redcore.testing import ReferenceServer

GOAL = 0.3
# All requests come from one address.
NO_LIMITS = {f"REDCORE_SERVER_ANONYMOUS_PER_{unit}": str(10**6) for unit in ("MINUTE", "SECOND")}


def posted(name: str, address: str, form: dict[str, str], auth: tuple[str, str]) -> Subject:
    """Return the endpoint at an address, called with a form by a client."""
    url = httpx.URL(address)
    headers = {
        "Authorization": f"Basic {base64.b64encode(':'.join(auth).encode()).decode()}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return Subject.of(name, address, f"POST {url.path}", headers, urlencode(form))


def main() -> None:
    """Measure and print."""
    given = arguments(__doc__)
    form = {"grant_type": "client_credentials", "scope": "users:read"}
    with serving("signer.py") as bare, ReferenceServer(lab=False, settings=NO_LIMITS) as server:
        environment = server.environment
        auth = (environment["REDCORE_CLIENT_ID"], environment["REDCORE_CLIENT_SECRET"])
        address = f"{server.origin}/oauth/token"
        answer = httpx.post(address, data=form, auth=auth, trust_env=False).raise_for_status()
        seen = {"token": answer.json()["access_token"]}
        yardstick = posted("a bare endpoint that signs", f"{bare}/oauth/token", form, auth)
        subjects = [
            posted("client-credentials tokens", address, form, auth),
            posted("introspections", f"{server.origin}/oauth/introspect", seen, auth),
        ]
        compare(yardstick, subjects, GOAL, given)


if __name__ == "__main__":
    main()
