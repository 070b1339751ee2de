"""Log a person in: through a web application's redirect, through a browser on the same machine, or on another device.

Each login returns a `TokenSet`; `Client.from_tokens(tokens, client_id=…)` makes calls with it. Not imported by
`import redcore`, because only programs that log people in need it. Nothing here stores tokens or serves more than one
small page.
"""

from redcore._spec.models import DeviceAuthorization
from redcore.exceptions import LoginTimeoutError
from redcore.login.authorization import AuthorizationRequest, authorization_request, exchange_code, exchange_code_async
from redcore.login.browser import in_browser, in_browser_async
from redcore.login.device import on_device, on_device_async

__all__ = [
    "AuthorizationRequest",
    "DeviceAuthorization",
    "LoginTimeoutError",
    "authorization_request",
    "exchange_code",
    "exchange_code_async",
    "in_browser",
    "in_browser_async",
    "on_device",
    "on_device_async",
]
