"""An independent judge: checks each exchange against openapi/redcore.yaml with openapi-core.

What openapi-core leaves out is checked by `omissions`; `test_judge` shows what both refuse.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import attrs
import httpx
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from tests.contract.omissions import Omissions
from tests.spec import spec
from werkzeug.datastructures import Headers, ImmutableMultiDict

HOST = "https://api.blueround.com"  # the first server of the spec; the host is not checked here


@attrs.define
class JudgedRequest:
    """A request as openapi-core expects it."""

    method: str
    path: str
    body: bytes | None
    content_type: str
    parameters: Any
    host_url: str = HOST

    @classmethod
    def of(cls, request: httpx.Request) -> JudgedRequest:
        query = ImmutableMultiDict(request.url.params.multi_items())
        return cls(
            method=request.method.lower(),
            path=request.url.raw_path.decode().partition("?")[0],  # still percent-encoded, as the server sees it
            body=request.content or None,
            content_type=request.headers.get("content-type", ""),
            parameters=RequestParameters(query=query, header=Headers(list(request.headers.items()))),
        )


@attrs.define
class JudgedResponse:
    """A response as openapi-core expects it."""

    status_code: int
    headers: Any
    content_type: str
    data: bytes | None

    @classmethod
    def of(cls, response: httpx.Response) -> JudgedResponse:
        headers = Headers(list(response.headers.items()))
        return cls(response.status_code, headers, response.headers.get("content-type", ""), response.content or None)


class Judge:
    """Judges every exchange of the HTTP clients it makes, and counts them by method and path."""

    def __init__(self) -> None:
        # In JSON Schema bytes are strings; here a character stands for each byte.
        readers: Any = {"application/octet-stream": as_text, "*/*": as_text}  # of an upload; of a download
        self._spec = OpenAPI.from_dict(spec(), Config(extra_media_type_deserializers=readers))
        self._omissions = Omissions(spec())
        self.judged: Counter[tuple[str, str]] = Counter()

    def http(self) -> httpx.Client:
        """An HTTP client whose exchanges are judged."""
        return httpx.Client(event_hooks={"request": [keep], "response": [self._hear]}, trust_env=False)

    def http_async(self) -> httpx.AsyncClient:
        """An asynchronous HTTP client whose exchanges are judged."""
        return httpx.AsyncClient(event_hooks={"request": [keep_async], "response": [self._hear_async]}, trust_env=False)

    def rule_request(self, request: httpx.Request) -> None:
        """Fail if a request violates the spec; its body has been read."""
        self._spec.validate_request(JudgedRequest.of(request))
        self._omissions.rule(request)

    def _hear(self, response: httpx.Response) -> None:
        response.read()
        self.rule(response)

    async def _hear_async(self, response: httpx.Response) -> None:
        await response.aread()
        self.rule(response)

    def rule(self, response: httpx.Response) -> None:
        """Fail if the exchange violates the spec; a request that the server refused need not be valid."""
        request = JudgedRequest.of(response.request)
        if response.status_code < 400:
            self._spec.validate_request(request)
        self._omissions.rule(response.request)
        self._spec.validate_response(request, JudgedResponse.of(response))
        self.judged[response.request.method, response.request.url.path] += 1


def as_text(value: bytes, **_: str) -> str:
    """Return bytes as text, one character each."""
    return value.decode("latin-1")


def keep(request: httpx.Request) -> None:
    """Keep the body, which may be a stream that can be read only once."""
    request.read()


async def keep_async(request: httpx.Request) -> None:
    """As `keep`, awaited."""
    await request.aread()
