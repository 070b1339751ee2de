"""The parts of an uploaded file (RFC 7578)."""

from __future__ import annotations

import re

from redcore.testing._fake.call import Asked
from redcore.testing._fake.contract import invalid
from redcore.testing._fake.problem import Problem
from redcore.testing._fake.state import Row

BOUNDARY = re.compile(r'multipart/form-data\s*;.*boundary="?([^";]+)"?', re.IGNORECASE)
UNESCAPED = {"%22": '"', "%0D": "\r", "%0A": "\n"}  # what browsers escape (WHATWG HTML, multipart/form-data)


def parts_of(asked: Asked) -> Row:
    """Name, media type and bytes of the file.

    Raises:
        Problem: the body is not multipart, or has no file.
    """
    found = BOUNDARY.fullmatch(asked.headers.get("content-type", ""))
    if found is None:
        raise Problem("UNSUPPORTED_MEDIA_TYPE", "Send the body as multipart/form-data.")
    from email.parser import BytesParser  # noqa: PLC0415 (a fifth of the fake's own imports, and only for uploads)
    from email.policy import HTTP  # noqa: PLC0415 (as above)

    parts = asked.content.split(b"--" + found[1].encode())[1:-1]
    if not parts:
        raise invalid([("body", "is not valid: it has no part")])
    body: Row = {}
    for part in parts:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        headers = BytesParser(policy=HTTP).parsebytes(head + b"\r\n\r\n", headersonly=True)
        about = headers["content-disposition"].params
        if about.get("name") == "file":
            body["content"] = content.removesuffix(b"\r\n")
            body["content_type"] = str(headers.get("content-type", "application/octet-stream"))
            body.setdefault("name", unescaped(str(about.get("filename", "file"))))
        elif about.get("name") == "name":
            body["name"] = content.removesuffix(b"\r\n").decode()
        else:
            raise invalid([(str(about.get("name")), "is not a field of this form; it takes file and name")])
    if "content" not in body:
        raise invalid([("file", "is required")])
    return body


def unescaped(name: str) -> str:
    """A file's name as it was before it was escaped."""
    for escaped, plain in UNESCAPED.items():
        name = name.replace(escaped, plain)
    return name
