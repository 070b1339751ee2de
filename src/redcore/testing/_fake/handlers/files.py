"""Files: their descriptions, and the bytes, of which a part may be asked for (RFC 9110 section 14)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from urllib.parse import quote

from redcore.testing._fake.call import Answer, Call, Handler, Reply
from redcore.testing._fake.paging import page
from redcore.testing._fake.problem import Problem, not_found
from redcore.testing._fake.state import Row, State

RANGE = re.compile(r"(?i:bytes)=[\s,]*(?:(\d{1,40})-(\d{0,40})|-(\d{1,40}))[\s,]*", re.ASCII)


def files_list(call: Call) -> Reply:
    """One page of the files."""
    return page(call, call.state.files.values())


def files_get(call: Call) -> Reply:
    """A file's description."""
    return Reply(data=found(call))


def files_upload(call: Call) -> Reply:
    """Store a file."""
    file = store(call.state, call.body["name"], call.body["content_type"], call.body["content"])
    return Reply(data=file, location=f"/v1/files/{file['id']}")


def files_delete(call: Call) -> Reply:
    """Delete a file."""
    file_id = found(call)["id"]
    del call.state.files[file_id], call.state.contents[file_id]
    return Reply()


def files_download(call: Call) -> Answer:
    """The bytes, or the part of them that is asked for."""
    file = found(call)
    content, etag = call.state.contents[file["id"]], f'"{file["sha256"]}"'
    headers = {"ETag": etag, "Accept-Ranges": "bytes", "Cache-Control": "private, no-cache"}
    if not named_by(call.headers.get("if-match", "*"), etag, weakly=False):
        raise Problem("PRECONDITION_FAILED", "The file is not the one that If-Match names.", headers=headers)
    if named_by(call.headers.get("if-none-match", ""), etag, weakly=True):
        return Answer(304, headers)
    headers["Content-Type"] = file["content_type"]
    headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(file['name'], safe='')}"
    asked = RANGE.fullmatch(call.headers.get("range", ""))
    if asked is None or is_invalid(asked) or call.headers.get("if-range", etag) != etag:
        return Answer(200, headers, content)
    start, stop = part(asked, len(content))
    if start >= len(content):
        message = f"The file has {len(content)} bytes, and none of them is in this range."
        where = {"Content-Range": f"bytes */{len(content)}", "Cache-Control": headers["Cache-Control"]}
        raise Problem("RANGE_NOT_SATISFIABLE", message, headers=where)
    return Answer(206, {**headers, "Content-Range": f"bytes {start}-{stop - 1}/{len(content)}"}, content[start:stop])


def named_by(condition: str, etag: str, *, weakly: bool) -> bool:
    """Whether a condition names the file (RFC 9110 sections 13.1.1 and 13.1.2)."""
    tags = {tag.strip() for tag in condition.split(",")}
    return bool(tags & {"*", etag, f"W/{etag}" if weakly else etag})


def is_invalid(asked: re.Match[str]) -> bool:
    """Whether a range ends before it begins (RFC 9110 section 14.1.1)."""
    first, last, _ = asked.groups()
    return bool(last) and int(last) < int(first)


def part(asked: re.Match[str], size: int) -> tuple[int, int]:
    """Where the part that is asked for begins, and where it ends."""
    first, last, suffix = asked.groups()
    if suffix:
        return max(0, size - int(suffix)), size
    return int(first), min(size, int(last) + 1) if last else size


def store(state: State, name: str, content_type: str, content: bytes) -> Row:
    """Put a file into the store."""
    file: Row = {
        "id": state.new_id("file"),
        "name": name,
        "content_type": content_type,
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "created_at": state.moment(),
    }
    state.files[file["id"]], state.contents[file["id"]] = file, content
    return file


def found(call: Call) -> Row:
    """The file of the path."""
    file = call.state.files.get(call.path["file_id"])
    if file is None:
        raise not_found("File", call.path["file_id"])
    return file


HANDLERS: Mapping[str, Handler] = {
    "files_list": files_list,
    "files_get": files_get,
    "files_upload": files_upload,
    "files_delete": files_delete,
    "files_download": files_download,
}
