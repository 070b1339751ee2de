"""The lab of a test platform, which injects faults on demand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import attrs

from redcore.exceptions import ReferenceServerError

TIMEOUT_S = 60.0  # another platform needs a database, which may take long on a busy machine


@attrs.frozen(kw_only=True)
class Fault:
    """A fault for one request, instead of or before normal processing. Without any field, the request passes."""

    status: int | None = None
    """Answer with this HTTP status."""
    retry_after: int | str | None = None
    """`Retry-After` of that answer: seconds, or an HTTP date. 0 is sent as 0."""
    body: Any = None
    """Body of that answer: a string is sent as HTML, anything else as JSON; None is the error envelope."""
    delay: float | None = None
    """Seconds to wait before responding."""
    drop: bool = False
    """Close the connection without an answer."""
    truncate: bool = False
    """Close the connection in the middle of the answer."""

    def as_json(self) -> dict[str, Any]:
        """The form that the server takes: the fields that are not their defaults, by identity, for `0 == False`."""
        fields = ((field.name, field.default, getattr(self, field.name)) for field in attrs.fields(Fault))
        return {name: value for name, default, value in fields if value is not default} or {"pass": True}

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> Fault:
        """The fault that `as_json` gave the form of."""
        return cls(**{name: value for name, value in form.items() if name != "pass"})


@attrs.frozen(kw_only=True)
class PendingFault:
    """A script with steps that no request has used."""

    method: str | None
    """HTTP method; None is any."""
    path: str
    """Path as it was given, or the name of the operation."""
    left: int
    """Unused steps."""

    def __str__(self) -> str:
        return f"{self.method or 'any method'} {self.path}: {self.left} not used"


@attrs.frozen(kw_only=True)
class Mail:
    """A mail that the platform sent."""

    to: str
    subject: str
    text: str
    link: str | None
    """The invitation link in it; None if it has no link."""


@attrs.frozen(kw_only=True)
class SeenRequest:
    """A request that the gateway saw. Secrets in its headers and its body are replaced by `***`."""

    method: str
    path: str
    status: int
    """HTTP status of the answer; 0 if no answer was sent."""
    request_id: str | None
    """Its `X-Request-ID`; None if no answer was sent."""
    query: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """The parameters of the query."""
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """The headers, names in lower case."""
    body: Any = None
    """The body: parsed JSON or form; text of another kind; None if it is empty or binary."""


class Lab:
    """Controls a reference server in test mode.

    Every method raises `ReferenceServerError` if the server does not answer, or runs without a lab.

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

    def pending(self) -> list[PendingFault]:
        """Return the scripts with unused faults."""
        return [PendingFault(**form) for form in self._send("GET", "/lab/faults")]

    def assert_all_used(self) -> None:
        """Fail if a fault was not used by any request.

        Raises:
            AssertionError: names the method and the path of each.
        """
        if pending := self.pending():
            scripts = "\n".join(f"  {each}" for each in pending)
            raise AssertionError(f"no request has met these scripts of the test:\n{scripts}")

    def clear_faults(self) -> None:
        """Remove all unused faults."""
        self._send("DELETE", "/lab/faults")

    def advance_clock(self, seconds: float) -> None:
        """Move the platform's clock ahead."""
        self._send("POST", "/lab/clock", {"advance": seconds})

    def reset_clock(self) -> None:
        """Reset the platform's clock to the real time."""
        self._send("DELETE", "/lab/clock")

    def limit_rate(self, *, requests_per_minute: int, requests_per_second: int) -> None:
        """Apply these limits to every credential, regardless of its plan."""
        limits = {"requests_per_minute": requests_per_minute, "requests_per_second": requests_per_second}
        self._send("PUT", "/lab/limits", limits)

    def restore_rate_limits(self) -> None:
        """Restore the limits of the plans."""
        self._send("DELETE", "/lab/limits")

    def outbox(self) -> list[Mail]:
        """The mails that were sent to the outbox, oldest first."""
        return [_known(Mail, form) for form in self._send("GET", "/lab/outbox")]

    def requests(self) -> list[SeenRequest]:
        """The requests that the gateway answered since the last reset, oldest first, without those of the lab."""
        return [_known(SeenRequest, form) for form in self._send("GET", "/lab/requests")]

    def reset(self) -> None:
        """Restore the seeded data; the seeded credentials stay valid."""
        self._send("POST", "/lab/reset")

    def add_platform(self) -> tuple[str, str]:
        """Open another platform in the same server, with data, clock and lab of its own.

        Returns:
            Its origin, and its data folder, in which `credentials.env` has its credentials.
        """
        platform = self._send("POST", "/lab/platforms")
        return platform["origin"], platform["data"]

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Send a request. By the standard library: whatever mocks httpx in a test does not see it."""
        from http.client import HTTPConnection, HTTPException, HTTPSConnection  # noqa: PLC0415 (the fake needs none)

        address = urlsplit(self._origin)
        connect = HTTPSConnection if address.scheme == "https" else HTTPConnection
        with closing(connect(address.netloc, timeout=TIMEOUT_S)) as connection:
            try:
                content = None if body is None else json.dumps(body)
                connection.request(method, path, content, {"Content-Type": "application/json"})
                response = connection.getresponse()
                answer = response.read()
            except (OSError, HTTPException) as error:
                raise ReferenceServerError(f"no lab answers at {self._origin}: {error!r}") from error
        if response.status >= 400:
            said = answer.decode("utf-8", "replace")
            raise ReferenceServerError(f"{self._origin}{path} answered {response.status} to {method}: {said}")
        return json.loads(answer) if answer else None


def _known(model: Any, form: Mapping[str, Any]) -> Any:
    """An object of what the lab says; what this version does not know is left out."""
    return model(**{field.name: form[field.name] for field in attrs.fields(model) if field.name in form})
