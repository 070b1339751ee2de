"""`docs_publish`: publishes a zip archive on the organisation's site atomically, or returns to another version."""

from __future__ import annotations

import io
import stat
import tempfile
import zipfile
import zlib
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from pathlib import PurePosixPath
from typing import IO, Final, cast

import attrs

from redcore_server.http.content_types import content_type_of
from redcore_server.store.postgres import AsyncPostgres, queries
from redcore_server.store.stored_files import Digest, docs_folder, docs_key
from redcore_server.workflows.definition import Definition, Run, RunFailed

KEPT_VERSIONS: Final = 10  # to switch back to; older ones make room
MAX_FILES: Final = 10_000  # far above any manual; each is an object to store
MAX_UNPACKED_BYTES: Final = 1024**3  # against archives that unpack to a multiple of their size
_MAX_PATH_CHARACTERS: Final = 512  # S3 allows 1,024 bytes of a key
_PIECE_BYTES: Final = 256 * 1024  # of a read, as in `store.objects`
_REPORTS: Final = 100  # of the progress: one takes longer than to store a small file
_MAX_DIRECTORY_BYTES: Final = 4 * 1024 * 1024  # of the archive's central directory, which is read as a whole
# Other methods can use as much memory as the archive demands.
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_INDEX: Final = "index.html"
# What macOS, Windows, KDE and Synology's DSM put beside the files of people, in lower case.
_SYSTEM_FILES: Final = frozenset({".ds_store", "icon\r", "thumbs.db", "ehthumbs.db", "desktop.ini", ".directory"})
_SYSTEM_FOLDERS: Final = frozenset(
    {
        "__macosx",
        ".documentrevisions-v100",
        ".fseventsd",
        ".spotlight-v100",
        ".temporaryitems",
        ".trashes",
        "$recycle.bin",
        "system volume information",
        "@eadir",
    }
)
_FORK: Final = "._"  # begins the name of a file's second half, where macOS cannot keep it with the file
_QUERIES: Final = queries("docs")


class _Archive(io.BufferedReader):
    """The bytes of an archive, read in small chunks."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Read, but reject a huge central directory.

        Raises:
            RunFailed: The directory is too large.
        """
        if size is not None and size > _MAX_DIRECTORY_BYTES:
            raise _too_many()
        return super().read(size)

    def seek(self, target: int, whence: int = io.SEEK_SET, /) -> int:
        """Seek to the requested position.

        Raises:
            zipfile.BadZipFile: The position is before the start of the archive.
        """
        if whence == io.SEEK_SET and target < 0:
            raise zipfile.BadZipFile("it leads before its start")
        return super().seek(target, whence)


@attrs.frozen
class _File:
    path: str
    size: int
    sha256: str


async def work(run: Run) -> None:
    """Store the files of a new version beside the old one's, then switch; or only switch."""
    if "file_id" in run.input and "version" in run.input:
        raise RunFailed("Give either file_id, to publish, or version, to go back to one.")
    if "version" in run.input:
        await _switch_back(run, run.input["version"])
        return
    if "file_id" not in run.input:
        raise RunFailed("Give file_id, to publish, or version, to go back to one.")
    files = await _unpacked(run)
    async with run.postgres.connection() as connection, connection.transaction():
        await connection.execute(_QUERIES["add_version"], _parameters(run, run.id))
        async with connection.cursor() as cursor, cursor.copy(_QUERIES["add_files"]) as copy:
            for file in files:
                await copy.write_row((run.id, file.path, content_type_of(file.path), file.size, file.sha256))
        await _switch(run, connection, run.id, _summary(files))


def _summary(files: Sequence[_File]) -> Mapping[str, object]:
    """Return the part of the result about new files."""
    if any(file.path == _INDEX for file in files):
        return {"files": len(files)}
    return {
        "files": len(files),
        "warning": f"The archive has no {_INDEX} at its top, so its path shows nothing.",
    }


async def _switch_back(run: Run, version: str) -> None:
    async with run.postgres.connection() as connection, connection.transaction():
        cursor = await connection.execute(_QUERIES["version"], _parameters(run, version))
        if await cursor.fetchone() is None:
            raise RunFailed(f"Version {version} is not kept; the newest {KEPT_VERSIONS} are.")
        await _switch(run, connection, version, {})


async def _switch(run: Run, connection: AsyncPostgres, version: str, published: Mapping[str, object]) -> None:
    parameters = {**_parameters(run, version), "kept": KEPT_VERSIONS}
    await connection.execute(_QUERIES["switch"], parameters)
    await connection.execute(_QUERIES["forget"], parameters)
    result = {"version": version, "path": f"/docs/{run.organisation_id}/", **published}
    await run.succeed(connection, result)


def _parameters(run: Run, version: str) -> dict[str, object]:
    return {"id": version, "organisation_id": run.organisation_id, "now": run.clock.now()}


async def _unpacked(run: Run) -> list[_File]:
    """Store every file of the archive; they are not visible yet."""
    file = await run.file(run.input["file_id"])
    with _Archive(cast("io.RawIOBase", tempfile.TemporaryFile(buffering=0))) as local:
        async for piece in await run.objects.get(file["key"], 0, file["size"]):
            cast("io.FileIO", local.raw).write(piece)
        try:
            return [stored async for stored in _stored(run, local)]
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            NotImplementedError,
            RuntimeError,
            ValueError,
            IndexError,
        ) as error:
            raise RunFailed(f"The file is not a zip archive that can be read: {error}.") from None


async def _stored(run: Run, archive: IO[bytes]) -> AsyncGenerator[_File]:
    with zipfile.ZipFile(archive) as unpacked:
        members = _members(unpacked)
        await _require_room(run, sum(member.file_size for member in members.values()))
        left_bytes = MAX_UNPACKED_BYTES
        for number, (path, member) in enumerate(members.items(), 1):
            digest = Digest()
            with unpacked.open(member) as content:
                pieces = digest.of(_bounded(content, left_bytes))
                await run.objects.put(docs_key(run.organisation_id, run.id, path), pieces)
            left_bytes -= digest.size
            yield _File(path, digest.size, digest.sha256)
            if number * _REPORTS // len(members) > (number - 1) * _REPORTS // len(members):
                await run.report(number / len(members) * 0.9)


async def _require_room(run: Run, size: int) -> None:
    """Reject an archive that does not fit into the storage of the organisation.

    What is stored is measured: failed runs and old versions leave files until they are collected, and an archive of a
    megabyte unpacks to a gigabyte.
    """
    if await run.objects.size(docs_folder(run.organisation_id)) + size > run.storage_bytes:
        raise RunFailed("The published pages would take more storage than the organisation has; try again in hours.")


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The files of an archive by their paths."""
    found: dict[str, zipfile.ZipInfo] = {}
    for member in archive.infolist():
        if member.is_dir():
            continue
        path = member.filename
        if _is_of_a_system(path):
            continue
        if not _is_inside(path) or stat.S_ISLNK(member.external_attr >> 16):
            raise RunFailed(f"The archive has a path that a site cannot have: {path[:100]!r}.")
        if path in found:
            raise RunFailed(f"The archive has {path[:100]!r} twice.")
        found[path] = member
    if not found:
        raise RunFailed("The archive has no files.")
    if len(found) > MAX_FILES:
        raise _too_many()
    if any(member.compress_type not in _METHODS for member in found.values()):
        raise RunFailed("The archive is compressed by another method than Deflate.")
    if sum(member.file_size for member in found.values()) > MAX_UNPACKED_BYTES:
        raise _too_large()
    _check_top(found)
    return found


def _is_of_a_system(path: str) -> bool:
    """Return whether a file is operating-system metadata."""
    *folders, name = path.lower().split("/")
    return name.startswith(_FORK) or name in _SYSTEM_FILES or not _SYSTEM_FOLDERS.isdisjoint(folders)


def _check_top(paths: Collection[str]) -> None:
    """Reject an archive of a folder instead of its files: its URLs would not be the intended ones."""
    tops = {path.partition("/")[0] for path in paths}
    if len(tops) == 1 and not tops & set(paths):
        raise RunFailed(
            f"The archive has no {_INDEX} at its top but one folder, {min(tops)[:100]}/: pack what is in the folder."
        )


def _is_inside(path: str) -> bool:
    parts = path.split("/")
    is_plain = path.isprintable() and "\\" not in path and ":" not in path and len(path) <= _MAX_PATH_CHARACTERS
    return is_plain and not PurePosixPath(path).is_absolute() and not {"", ".", ".."} & set(parts)


async def _bounded(content: IO[bytes], left_bytes: int) -> AsyncGenerator[bytes]:
    """Count the bytes read: the sizes declared in an archive may be false."""
    while piece := content.read(_PIECE_BYTES):
        left_bytes -= len(piece)
        if left_bytes < 0:
            raise _too_large()
        yield piece


def _too_many() -> RunFailed:
    return RunFailed(f"The archive has more than {MAX_FILES} files.")


def _too_large() -> RunFailed:
    return RunFailed(f"The archive unpacks to more than {MAX_UNPACKED_BYTES} bytes.")


DEFINITION: Final = Definition(
    name="docs_publish",
    description=(
        "Publishes the files of an uploaded zip archive under `result.path`, all at once, in place of those that were "
        "there; or goes back to an earlier `result.version`, of which the newest ten are kept."
    ),
    scopes=("files:read",),
    input_schema={
        "type": "object",
        "properties": {
            "file_id": {"type": "string", "minLength": 1, "maxLength": 64, "description": "Of the archive."},
            "version": {"type": "string", "minLength": 1, "maxLength": 64, "description": "To go back to."},
        },
        "additionalProperties": False,
    },
    work=work,
)
