"""Files: descriptions in PostgreSQL, bytes in the object store."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from redcore_server.api import listing
from redcore_server.api.handler import Call, Handler, Reply, Row
from redcore_server.api.uploads import Upload, no_room
from redcore_server.errors import NotFound, PreconditionFailed, RangeNotSatisfiable
from redcore_server.http.ranges import select
from redcore_server.store.objects import ObjectMissing
from redcore_server.store.postgres import queries
from redcore_server.store.stored_files import file_key
from redcore_server.worker.objects import defer_object_deletion

_QUERIES: Final = queries("files")


async def files_list(call: Call) -> Reply:
    """Return one page of the files."""
    return await listing.page(call, _QUERIES["matching"])


async def files_get(call: Call) -> Reply:
    """Return a file's description."""
    return Reply(data=await _file(call))


async def room_bytes(call: Call) -> int:
    """Return the remaining storage quota of the organisation, in bytes."""
    row = await call.one(_QUERIES["room"], storage_bytes=call.services.storage_bytes)
    return row["bytes"] if row else 0


async def files_upload(call: Call) -> Reply:
    """Create the description of a file whose bytes are already stored."""
    upload: Upload = call.body["upload"]
    row = await upload.file.write(
        call.connection,
        organisation_id=call.principal.organisation_id,
        storage_bytes=call.services.storage_bytes,
        now=call.now,
    )
    if row is None:
        raise no_room()
    upload.is_kept = True
    return Reply(data=row, status=201, location=f"/v1/files/{upload.file.id}")


async def files_delete(call: Call) -> Reply:
    """Delete a file: its description now, its bytes later, or soon if as many are kept as the quota allows to store."""
    file_id = call.path["file_id"]
    file = await call.one(_QUERIES["delete"], id=file_id)
    if file is None:
        raise NotFound.named("File", file_id)
    is_kept = await call.one(_QUERIES["keep"], **file, storage_bytes=call.services.storage_bytes) is not None
    key = file_key(call.principal.organisation_id, file_id)
    after = call.services.retention if is_kept else timedelta()
    await defer_object_deletion(call.connection, key=key, after=after)
    return Reply(status=204)


async def files_download(call: Call) -> Response:
    """Return the bytes, or the requested range."""
    file = await _file(call)
    selection = select(call.headers, etag=f'"{file["sha256"]}"', size=file["size"])
    headers = {**selection.headers, "Cache-Control": "private, no-cache"}
    if selection.status == 412:
        raise PreconditionFailed(headers=headers)
    if selection.status == 416:
        raise RangeNotSatisfiable(file["size"], headers)
    if selection.status == 304:
        return Response(status_code=selection.status, headers=headers)
    key = file_key(call.principal.organisation_id, file["id"])
    # For a HEAD the bytes must also exist, but they are not read.
    stop = selection.start if call.is_head else selection.stop
    try:
        content = await call.services.objects.get(key, selection.start, stop)
    except ObjectMissing as error:  # the database was restored to a time when the file still existed
        raise NotFound(f"The bytes of file {file['id']} do not exist any more.") from error
    # Uploaded content is never rendered on our own origin, only downloaded.
    headers["Content-Type"] = file["content_type"]  # not as `media_type`, to which Starlette would add a charset
    headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(file['name'], safe='')}"
    return StreamingResponse(content, selection.status, headers)


async def _file(call: Call) -> Row:
    return await call.found("File", _QUERIES["get"], call.path["file_id"])


HANDLERS: Final[Mapping[str, Handler]] = {
    "files_list": files_list,
    "files_get": files_get,
    "files_upload": files_upload,
    "files_delete": files_delete,
    "files_download": files_download,
}
