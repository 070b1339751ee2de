"""Performs the steps of transfers over any transport: open and complete responses, and their errors."""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, TypeAlias, assert_never

from anyio import to_thread

from redcore._base.cancellation import to_the_end
from redcore._base.response import AsyncIncoming, Incoming, Response
from redcore._call.steps import Close, Read, Stream, Work
from redcore._transport import AsyncTransport, Transport
from redcore._transport.body_reader import Body
from redcore._wire.encoding import Request
from redcore._wire.multipart import Multipart

Transfer: TypeAlias = Stream | Read | Close | Work


def perform(transport: Transport, step: Transfer) -> Any:
    """Perform a step by blocking."""
    match step:
        case Stream():
            return exchange(transport, step)
        case Read(answer):
            return answer.read()
        case Close(answer):
            return answer.close()
        case Work(function):
            return function()
        case _:
            assert_never(step)


async def perform_async(transport: AsyncTransport, step: Transfer) -> Any:
    """Perform a step by awaiting."""
    match step:
        case Stream():
            return await exchange_async(transport, step)
        case Read(answer):
            return await answer.read()
        case Close(answer):
            return await answer.aclose()
        case Work(function):
            return await to_the_end(to_thread.run_sync(function))
        case _:
            assert_never(step)


def exchange(transport: Transport, step: Stream) -> Response | Incoming:
    """Send; the response is open if it is a streamed success, otherwise complete.

    Raises:
        RedcoreError: as for `Transport.stream`.
        Exception: any error of the application's iterator or callback.
    """
    with content_of(step.request):
        answer = transport.stream(step.request, step.silence_s, step.ends_in_s)
    return answer if stays_open(step, answer.status_code) else collected(answer)


async def exchange_async(transport: AsyncTransport, step: Stream) -> Response | AsyncIncoming:
    """Like `exchange`, awaited."""
    with content_of(step.request):
        answer = await transport.stream(step.request, step.silence_s, step.ends_in_s)
    return answer if stays_open(step, answer.status_code) else await collected_async(answer)


def stays_open(step: Stream, status: int) -> bool:
    """Whether a response is returned before its body has arrived."""
    return step.request.opens and 200 <= status < 300


def collected(answer: Incoming) -> Response:
    """Read the body of a response, with the usual limits."""
    try:
        body = body_of(answer)
        while piece := answer.read():
            body.add(piece)
    finally:
        answer.close()
    return Response(answer.status_code, answer.headers, body.whole())


async def collected_async(answer: AsyncIncoming) -> Response:
    """Like `collected`, awaited."""
    try:
        body = body_of(answer)
        while piece := await answer.read():
            body.add(piece)
    finally:
        await answer.aclose()
    return Response(answer.status_code, answer.headers, body.whole())


def body_of(answer: Incoming | AsyncIncoming) -> Body:
    """Make the reader of a body whose time is limited by the transport."""
    return Body(answer.status_code, answer.headers.get("content-encoding"), math.inf)


@contextmanager
def content_of(request: Request) -> Generator[None]:
    """Close files of a request's content; raise its original error instead of the HTTP library's."""
    content = request.content
    if not isinstance(content, Multipart):
        yield
        return
    content.failure = None
    try:
        yield
    except Exception as error:
        if content.failure is None or content.failure is error:
            raise
        raise content.failure from None
    finally:
        content.close()
