"""Checks of the public address: TLS, the client's own address, and no endpoint for operators."""

from __future__ import annotations

import asyncio
import ssl

import certifi
import httpx
from tests.topology.load import Load
from tests.topology.outcome import Outcome

from redcore_server.process.topology.system import System

FORGED = "203.0.113.9"


async def edge(system: System, load: Load) -> Outcome:
    """Call the public address as an outsider would."""
    origin = load.base_url.removesuffix("/v1")
    trust = ssl.create_default_context(cafile=system.layout.certificates.authority)
    async with httpx.AsyncClient(verify=trust, base_url=origin, timeout=10) as http:
        metrics = (await http.get("/metrics")).status_code
        forged = await http.get("/v1/users", headers={"X-Forwarded-For": FORGED, "X-Request-ID": "forged-address"})
    hidden = metrics == 404
    request_id = forged.headers["X-Request-ID"]
    # A gateway logs a request once it is answered.
    await asyncio.to_thread(system.eventually, lambda: bool(_logged(system, request_id)), "the request is logged")
    (line,) = _logged(system, request_id)
    carried = FORGED not in line and "127.0.0.1" in line
    context = ssl.create_default_context(cafile=certifi.where())
    try:
        async with httpx.AsyncClient(verify=context, base_url=origin, timeout=10) as stranger:
            await stranger.get("/healthz")
        private = False
    except httpx.ConnectError:
        private = True
    return Outcome(
        f"TLS of a private authority: {private}; /metrics: {metrics}; the client's own address is logged: {carried}",
        hidden and carried and private,
    )


def _logged(system: System, request_id: str) -> list[str]:
    """Return the lines of the gateways about a request."""
    logs = [(system.place.logs / f"{node.name}-gateway.log").read_text(errors="replace") for node in system.serving]
    return [line for log in logs for line in log.splitlines() if request_id in line]
