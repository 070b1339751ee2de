"""The login of native applications (RFC 8252): a browser on the same machine is redirected to a loopback address."""

from __future__ import annotations

import webbrowser
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Unpack

from anyio.from_thread import start_blocking_portal

from redcore._call.arguments import check_names
from redcore._wire.callbacks import check_callback
from redcore.exceptions import ConfigurationError
from redcore.login.authorization import (
    AuthorizationRequest,
    answers,
    authorization_request,
    exchange_code,
    exchange_code_async,
)
from redcore.login.loopback import NO_BROWSER, Receiver, check, receiver
from redcore.options import AsyncLoginOptions, LoginOptions
from redcore.tokens import TokenSet

REDIRECT_URI = "http://127.0.0.1/callback"


def in_browser(
    *,
    scope: str | None = None,
    redirect_uri: str = REDIRECT_URI,
    open_browser: Callable[[str], object] | None = None,
    deadline: float = 300.0,
    **options: Unpack[LoginOptions],
) -> TokenSet:
    """Open the browser, let the person log in there, and return the tokens.

    Args:
        scope: Scopes to request, separated by spaces; None requests all that the application may have.
        redirect_uri: A loopback address as registered for the application, without a port: a free port is used.
        open_browser: Opens a URL, or shows it to the person, such as `print`; None opens the default browser. Returns
            False if no browser could be opened.
        deadline: Seconds to wait for the person.
        options: The application (`client_id`, `client_secret`) and the addresses, as for `Client`.

    Returns:
        The tokens of the person.

    Raises:
        ArgumentError: the redirect URI is not a loopback address, its port is in use, or `open_browser` not a function.
        AuthenticationError: as for `exchange_code`.
        LoginTimeoutError: the deadline passed.
        ConfigurationError: no client id, an invalid URL or number, or no browser could be opened.
        RedcoreAPIError, NetworkError, ResponseError: the token request failed.
    """
    check_callback("open_browser", open_browser)
    listening = receiver(redirect_uri, deadline)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(listening) as waiting:
        request = begin(waiting, scope, options)
        if open_browser is None:
            portal.call(waiting.open, default_browser, request.url)
        else:
            check(open_browser(request.url))  # in this thread, to which a user interface may be bound
        redirect = portal.call(waiting.wait)
    return exchange_code(request, redirect, **rest(options))


async def in_browser_async(
    *,
    scope: str | None = None,
    redirect_uri: str = REDIRECT_URI,
    open_browser: Callable[[str], object] | None = None,
    deadline: float = 300.0,
    **options: Unpack[AsyncLoginOptions],
) -> TokenSet:
    """Like `in_browser`, for asyncio and trio; `open_browser` runs in a thread."""
    check_callback("open_browser", open_browser)
    async with receiver(redirect_uri, deadline) as waiting:
        request = begin(waiting, scope, options)
        waiting.open(open_browser or default_browser, request.url)
        redirect = await waiting.wait()
    return await exchange_code_async(request, redirect, **rest(options))


def begin(waiting: Receiver, scope: str | None, options: Mapping[str, Any]) -> AuthorizationRequest:
    """Make the authorization request from its options, and start waiting for its redirect."""
    check_names(options, tuple(LoginOptions.__annotations__))
    names = ("client_id", "base_url", "auth_url", "environment")
    chosen = {name: options.get(name) for name in names}
    request = authorization_request(redirect_uri=waiting.redirect_uri, scope=scope, **chosen)
    waiting.is_answer = partial(answers, request)
    return request


def rest(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options for the code exchange."""
    return {name: options.get(name) for name in ("client_secret", "timeout", "max_retries", "http_client")}


def default_browser(url: str) -> bool:
    """Open the default browser; returns whether that worked. Some stay in it until the person leaves them.

    Raises:
        ConfigurationError: the variable BROWSER is invalid.
    """
    try:
        return webbrowser.open(url)
    except (webbrowser.Error, OSError, ValueError) as problem:  # ValueError: a quote is missing in BROWSER
        raise ConfigurationError(f"{NO_BROWSER}; see the variable BROWSER") from problem
