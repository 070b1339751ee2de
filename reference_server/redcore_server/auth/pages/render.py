"""Renders templates to HTML with strict headers. Knows neither requests nor sessions."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from markupsafe import Markup
from starlette.responses import HTMLResponse

from redcore_server.contract.direction import undirected

if TYPE_CHECKING:  # loaded for the first page: 3 % of the server's start
    import jinja2

_HOST: Final = re.compile(r"[A-Za-z0-9.-]+(?::[0-9]+)?", re.ASCII)
_FOLDER: Final = Path(__file__).with_name("templates")
_STYLE: Final = Markup((_FOLDER / "pages.css").read_text(encoding="utf-8"))  # noqa: S704 - a file of ours
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()


def render(
    template: str, *, status: int = 200, form_targets: Iterable[str] = (), values: Mapping[str, object]
) -> HTMLResponse:
    """Return a page.

    Args:
        template: File name without `.html`.
        status: HTTP status of the response.
        form_targets: External URLs to which the form's response may redirect; Chromium checks redirects against
            `form-action` too.
        values: Values for the template.
    """
    # CSP 3 section 6.3.1: a redirect after a form counts as its target.
    targets = " ".join(["'self'", *sorted({_source(address) for address in form_targets})])
    headers = {
        "Content-Security-Policy": (
            f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; form-action {targets}; "
            "frame-ancestors 'none'; base-uri 'none'"
        ),
        "X-Frame-Options": "DENY",
        "Cache-Control": "no-store",
        # Not `no-referrer`: with that a browser sends `Origin: null` with our own forms.
        "Referrer-Policy": "same-origin",
    }
    html = _templates().get_template(f"{template}.html").render(style=_STYLE, **values)
    return HTMLResponse(html, status, headers)


@cache
def _templates() -> jinja2.Environment:
    import jinja2  # noqa: PLC0415 - as above

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=undirected,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _source(address: str) -> str:
    """Return the CSP source of a URL: its origin, or its scheme if CSP cannot express the host.

    This applies to private-use schemes (RFC 8252 section 7.1) and to IPv6 (CSP 3 section 2.3.1).
    """
    parts = urlsplit(address)
    if parts.scheme in {"http", "https"} and _HOST.fullmatch(parts.netloc):
        return f"{parts.scheme}://{parts.netloc}"
    return f"{parts.scheme}:"
