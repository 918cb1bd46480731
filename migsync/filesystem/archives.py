"""Files in a zip archive, from which Python imports as from a directory: ``/lib/goods.zip/goods/apps.py``."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator


def archive_of(path: str) -> tuple[str, str] | None:
    """The archive that `path` leads into, and the path in it; None for a path of the file system."""
    place = path
    while not os.path.lexists(place):
        place, last = os.path.split(place)
        if not last:
            return None
    if place == path or not zipfile.is_zipfile(place):
        return None
    return place, path[len(place) :].strip(os.sep).replace(os.sep, "/")


def members(path: str) -> Iterator[tuple[str, int]]:
    """Name and size of each file directly in a directory of an archive; none where there is no such directory."""
    if (found := archive_of(path)) is None:
        return
    with zipfile.ZipFile(found[0]) as archive:
        for info in archive.infolist():
            directory, _, name = info.filename.rpartition("/")
            if name and directory == found[1]:
                yield name, info.file_size


def read_member(path: str) -> bytes:
    """The content of a file in an archive; raises OSError where it cannot be read."""
    if (found := archive_of(path)) is None:
        raise FileNotFoundError(f"there is no file {path}")
    try:
        with zipfile.ZipFile(found[0]) as archive:
            return archive.read(found[1])
    except (KeyError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise OSError(f"{path} cannot be read from its archive: {error}") from error
