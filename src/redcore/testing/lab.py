"""The laboratory of a reference server that was started for tests: it makes the platform fail on demand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import httpx


@attrs.frozen(kw_only=True)
class Fault:
    """What happens to one request instead of, or before, what should. Without any field the request passes."""

    status: int | None = None
    """Answer with this HTTP status."""
    retry_after: int | str | None = None
    """`Retry-After` of that answer: seconds, or an HTTP date."""
    body: Any = None
    """Body of that answer: a string is sent as HTML, anything else as JSON; None is the error envelope."""
    delay: float | None = None
    """Seconds to wait first."""
    drop: bool = False
    """Close the connection without an answer."""
    truncate: bool = False
    """Close the connection in the middle of the answer."""

    def as_json(self) -> dict[str, Any]:
        """The form that the server takes."""
        given = {name: value for name, value in attrs.asdict(self).items() if value not in (None, False)}
        return given or {"pass": True}


@attrs.frozen(kw_only=True)
class Mail:
    """A mail that the platform sent."""

    to: str
    subject: str
    text: str
    link: str | None
    """The invitation link in it; None if there is none."""


@attrs.frozen(kw_only=True)
class SeenRequest:
    """A request that the gateway saw."""

    method: str
    path: str
    status: int
    """HTTP status of the answer; 0 if there was none."""
    request_id: str | None
    """Its `X-Request-ID`; None if there was no answer."""


class Lab:
    """Controls a reference server in test mode.

    Args:
        origin: Its address, as `http://127.0.0.1:4010`.
    """

    def __init__(self, origin: str) -> None:
        self._origin = origin

    def inject(self, method: str | None, path: str, faults: Sequence[Fault]) -> None:
        """Let the next matching requests fail, each by the next fault of the list.

        Args:
            method: HTTP method; None is any.
            path: Path as the gateway sees it, with `*` for any characters: `/v1/users/*`.
            faults: One for each request, in order.
        """
        script = {"path": path, "faults": [fault.as_json() for fault in faults]}
        self._send("POST", "/lab/faults", script if method is None else {"method": method, **script})

    def clear_faults(self) -> None:
        """Forget all faults that have not happened yet."""
        self._send("DELETE", "/lab/faults")

    def advance_clock(self, seconds: float) -> None:
        """Move the server's clock ahead."""
        self._send("POST", "/lab/clock", {"advance": seconds})

    def reset_clock(self) -> None:
        """Give the server the real time back."""
        self._send("DELETE", "/lab/clock")

    def limit_rate(self, *, requests_per_minute: int, requests_per_second: int) -> None:
        """Let these limits hold for every credential, whatever its plan."""
        limits = {"requests_per_minute": requests_per_minute, "requests_per_second": requests_per_second}
        self._send("PUT", "/lab/limits", limits)

    def restore_rate_limits(self) -> None:
        """Let the plans' limits hold again."""
        self._send("DELETE", "/lab/limits")

    def outbox(self) -> list[Mail]:
        """The mails that were sent to the outbox, oldest first."""
        fields = {field.name for field in attrs.fields(Mail)}
        return [Mail(**{name: told.get(name) for name in fields}) for told in self._send("GET", "/lab/outbox")]

    def requests(self) -> list[SeenRequest]:
        """The requests that the gateway answered since the last reset, oldest first, without those of the lab."""
        fields = {field.name for field in attrs.fields(SeenRequest)}
        return [SeenRequest(**{name: told[name] for name in fields}) for told in self._send("GET", "/lab/requests")]

    def reset(self) -> None:
        """Put the data back to what the server was seeded with; the seeded credentials stay valid."""
        self._send("POST", "/lab/reset")

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        with httpx.Client(trust_env=False, timeout=30.0) as http:
            response = http.request(method, f"{self._origin}{path}", json=body)
        response.raise_for_status()
        return response.json() if response.content else None
