"""Uploads into the object store; the bytes stay only if their description is committed.

The bytes are stored before the transaction that describes them, and deleted if a commit is not attempted. After an
attempt they stay: a commit whose result was lost may have succeeded. Orphans of such a case or of a killed process are
collected by `redcore_server.worker.objects`.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Mapping
from functools import cache
from typing import Any, Final
from weakref import WeakValueDictionary

import attrs
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from redcore_server.api.multipart import Multipart, Part
from redcore_server.api.validation import require_plain
from redcore_server.contract import spec
from redcore_server.contract.schema_messages import issues
from redcore_server.contract.spec import Rule
from redcore_server.errors import Detail, PayloadTooLarge, RuleViolation, ValidationFailed
from redcore_server.ids import new_id
from redcore_server.store.objects import Objects
from redcore_server.store.stored_files import Description, Digest, file_key

_MAX_NAME_CHARACTERS: Final = 255  # the schema of `files_upload`; what file systems allow
_MAX_NAME_BYTES: Final = 4 * _MAX_NAME_CHARACTERS  # a character of UTF-8 has at most four
_MEDIA_TYPE: Final = re.compile(r"[\w.+-]{1,127}/[\w.+-]{1,127}(?:\s*;[\x20-\x7e]{1,100})?", re.ASCII)
_UNKNOWN_TYPE: Final = "application/octet-stream"
_FILE: Final = "file"
_NAME: Final = "name"


@attrs.define
class Upload:
    """A file in the object store that is not yet described.

    Attributes:
        file: Metadata of the file.
        is_kept: Whether the bytes stay; set when the description is written, before it is committed.
    """

    file: Description
    is_kept: bool = False

    def facts(self) -> Mapping[str, Any]:
        """The values that identify equal uploads."""
        return {name: value for name, value in attrs.asdict(self.file).items() if name != "id"}


@attrs.define(eq=False)
class _Arriving:
    """How many bytes of an organisation's uploads have arrived that are not described yet."""

    size: int = 0


def _by_organisation() -> WeakValueDictionary[str, _Arriving]:
    return WeakValueDictionary()


@attrs.frozen(kw_only=True)
class Uploads:
    """Receives uploads; those of an organisation that arrive at once have to fit into its storage together.

    Attributes:
        objects: Object store for the bytes.
        max_file_bytes: Maximum size of a file, in bytes.
    """

    objects: Objects
    max_file_bytes: int
    _arriving: WeakValueDictionary[str, _Arriving] = attrs.field(init=False, factory=_by_organisation)

    @contextlib.asynccontextmanager
    async def received(
        self, organisation_id: str, room_bytes: int, headers: Mapping[bytes, bytes], receive: Receive
    ) -> AsyncGenerator[Upload]:
        """Store an upload; it is deleted at the end unless it is kept.

        Args:
            organisation_id: Id of the owning organisation.
            room_bytes: Remaining storage quota of the organisation, in bytes.
            headers: Request headers, with lower-case names.
            receive: ASGI receive callable of the request.

        Raises:
            ValidationFailed: The form is malformed, or has unexpected fields.
            UnsupportedMediaType: The body is not a multipart form.
            PayloadTooLarge: The file exceeds the maximum size.
            RuleViolation: The file exceeds the storage quota.
            ObjectsUnavailable: The object store cannot store it.
            ClientDisconnect: The client disconnected during the upload.
        """
        require_plain(headers)
        file_id = new_id("file")
        key = file_key(organisation_id, file_id)
        body = Multipart(headers, _body(receive))
        fields: dict[str, str] = {}
        file: Part | None = None
        upload: Upload | None = None
        with self._counting(organisation_id, room_bytes) as intake:
            intake.expect(headers.get(b"content-length", b""))
            try:
                async for part in body.parts():
                    if part.name == _FILE and file is None:
                        file = part
                        await self.objects.put(key, intake.bounded(body.data()))
                    else:
                        seen = fields.keys() | ({_FILE} if file else set[str]())
                        fields[part.name] = await _field(part, body.data(), seen)
                upload = Upload(_described(file_id, file, fields, intake))
                yield upload
            finally:
                if file is not None and (upload is None or not upload.is_kept):
                    await self.objects.delete(key)

    @contextlib.contextmanager
    def _counting(self, organisation_id: str, room_bytes: int) -> Generator[_Intake]:
        """Yield the counter of an upload; its bytes take room from others until it is described or deleted."""
        arriving = self._arriving.setdefault(organisation_id, _Arriving())
        intake = _Intake(self.max_file_bytes, room_bytes, arriving)
        try:
            yield intake
        finally:
            arriving.size -= intake.size


class _Intake(Digest):
    """Counts the bytes of a streamed file, up to the available space."""

    def __init__(self, max_file_bytes: int, room_bytes: int, arriving: _Arriving) -> None:
        super().__init__()
        self._max_file_bytes = max_file_bytes
        self._room_bytes = room_bytes
        self._arriving = arriving

    def expect(self, content_length: bytes) -> None:
        """Reject a body by its `Content-Length` before it is read; the form around the file is small."""
        if content_length.isdigit():
            size = int(content_length[:18]) - _MAX_FORM_BYTES
            self._check(size, size)

    async def bounded(self, pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
        """Yield the same bytes."""
        async for piece in self.of(pieces):
            self._arriving.size += len(piece)
            self._check(self.size, self._arriving.size)
            yield piece

    def _check(self, size: int, arriving: int) -> None:
        if size > self._max_file_bytes:
            raise PayloadTooLarge(self._max_file_bytes)
        if arriving > self._room_bytes:
            raise no_room()


_MAX_FORM_BYTES: Final = 64 * 1024  # for boundaries, part headers and the name


def no_room() -> RuleViolation:
    """The error for a file that does not fit into the organisation's storage."""
    return RuleViolation("The organisation's storage is full; delete files that are no longer needed.")


async def _body(receive: Receive) -> AsyncGenerator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        more = message.get("more_body", False)
        if piece := message.get("body", b""):
            yield piece


async def _field(part: Part, data: AsyncIterator[bytes], seen: set[str]) -> str:
    if part.name in seen:
        raise _wrong(part.name, "is given more than once")
    if part.name != _NAME:
        raise _wrong(part.name[:_MAX_NAME_CHARACTERS] or "body", "is not a field of this form; it takes file and name")
    value = b""
    async for piece in data:
        value += piece
        if len(value) > _MAX_NAME_BYTES:
            raise _too_long()
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise _wrong(_NAME, "must be UTF-8") from None


@cache
def _name_rule() -> Rule:
    return Rule(spec.load().document["components"]["schemas"]["FileUpload"]["properties"][_NAME], {})


def _described(file_id: str, file: Part | None, fields: Mapping[str, str], intake: _Intake) -> Description:
    if file is None:
        raise _wrong(_FILE, "is required")
    # Some clients send the full path (RFC 7578 section 4.2).
    own_name = (file.filename or "").replace("\\", "/").rpartition("/")[2]
    name = fields.get(_NAME, own_name or _FILE)
    if problems := list(issues(_name_rule(), name, _NAME)):
        raise ValidationFailed(details=problems)
    return Description(
        id=file_id,
        name=name,
        content_type=file.content_type if _MEDIA_TYPE.fullmatch(file.content_type) else _UNKNOWN_TYPE,
        size=intake.size,
        sha256=intake.sha256,
    )


def _too_long() -> ValidationFailed:
    return _wrong(_NAME, f"must have at most {_MAX_NAME_CHARACTERS} characters")


def _wrong(field: str, issue: str) -> ValidationFailed:
    return ValidationFailed(details=[Detail(field, issue)])
