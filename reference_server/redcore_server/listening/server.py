"""Serves an ASGI app on a listening socket: uvicorn with limits, TLS and an orderly shutdown."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from types import FrameType
from typing import Any, Final

import attrs
import uvicorn
import uvloop
from starlette.types import ASGIApp

from redcore_server.http.addresses import in_both_forms
from redcore_server.http.draining import Draining
from redcore_server.listening.acceptor import Acceptor
from redcore_server.listening.connection import bounded
from redcore_server.listening.descriptors import raise_limit
from redcore_server.listening.memory import keep_what_is_loaded, return_small_blocks
from redcore_server.listening.redirect import RedirectToTls
from redcore_server.logs import configure_logging
from redcore_server.settings import Settings

_TICKS: Final = 10  # a second: what is needed again sooner need not be returned


@attrs.frozen(kw_only=True)
class Listening:
    """Options for serving.

    Attributes:
        trusted_proxies: Addresses and networks whose `X-Forwarded-For` and `X-Forwarded-Proto` are trusted.
        tls: TLS context; None for plain HTTP.
        announce: Called once requests are answered.
        draining: Set by the first signal.
    """

    settings: Settings
    trusted_proxies: Sequence[str]
    tls: ssl.SSLContext | None
    announce: Callable[[], None]
    draining: Draining = attrs.field(factory=Draining)


def run(
    open_app: Callable[[Draining], AbstractAsyncContextManager[ASGIApp]], listener: socket.socket, how: Listening
) -> None:
    """Serve until SIGINT or SIGTERM; running requests may finish.

    Args:
        open_app: Context manager that opens the app and closes it at the end.
        listener: A listening socket.
        how: Options for serving.
    """
    configure_logging(how.settings.log_level)
    raise_limit()

    async def serve() -> None:
        async with open_app(how.draining) as app:
            keep_what_is_loaded()
            await _Server(_config(app, how), how).serve(sockets=[listener])

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())


@asynccontextmanager
async def serving(app: ASGIApp, listener: socket.socket, how: Listening) -> AsyncGenerator[None]:
    """Serve one more app in the running loop until the block is left; signals concern the first app only.

    Args:
        app: An open app.
        listener: A listening socket.
        how: Options for serving.
    """
    server = _FurtherServer(_config(app, how), how)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await task


def _config(app: ASGIApp, how: Listening) -> uvicorn.Config:
    bounds: Any = bounded(how.settings.client_seconds)  # uvicorn asks for a class and only calls it
    return uvicorn.Config(
        app,
        http=bounds,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,  # the gateway writes its own access log
        proxy_headers=bool(how.trusted_proxies),  # or any client could forge the address that rate limits count
        forwarded_allow_ips=list(in_both_forms(how.trusted_proxies)),
        server_header=False,
        date_header=False,  # the gateway's comes from the server's clock
        timeout_keep_alive=75,
        timeout_graceful_shutdown=how.settings.drain_seconds,
    )


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, how: Listening) -> None:
        super().__init__(config)
        self._how = how

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start answering, then announce it."""
        await super().startup([])
        for listener in sockets or []:
            self._accept(listener)
        self._how.announce()

    async def on_tick(self, counter: int) -> bool:
        """Return freed memory from time to time; uvicorn ticks ten times a second."""
        if counter % _TICKS == 0:
            return_small_blocks()
        return await super().on_tick(counter)

    def _accept(self, listener: socket.socket) -> None:
        plain = self.config
        if self._how.tls is not None:
            plain = _config(RedirectToTls(self._how.settings.origin), self._how)
            plain.load()
        acceptor = Acceptor(
            listener=listener,
            context=self._how.tls,
            secure=lambda: self._protocol(self.config),
            plain=lambda: self._protocol(plain),
            client_s=self._how.settings.client_seconds,
        )
        acceptor.open()
        self.servers.append(acceptor)  # type: ignore[arg-type] # has the methods that uvicorn calls

    def _protocol(self, config: uvicorn.Config) -> asyncio.Protocol:
        return config.http_protocol_class(config=config, server_state=self.server_state, app_state={})  # type: ignore[call-arg]

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Report the shutdown to load balancers, then stop after a delay; a second signal stops at once."""
        notice_s = self._how.settings.stop_notice_seconds
        if notice_s == 0 or self._how.draining.is_on:
            self._how.draining.is_on = True
            super().handle_exit(sig, frame)
            return
        self._how.draining.is_on = True
        asyncio.get_running_loop().call_later(notice_s, super().handle_exit, sig, frame)


class _FurtherServer(_Server):
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave the signals to the first server of the process."""
        yield
