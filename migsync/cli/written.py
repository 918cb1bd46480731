"""A file that a command was asked to write: whole, or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from migsync.errors import MigsyncError


def write_whole(path: Path, text: str) -> None:
    """Put `text` (as UTF-8) into `path`, in place of what was there; readers see the old or the new, never a part.

    Raises MigsyncError where that cannot be. What is no file, such as a pipe, is written to as it is.
    """
    content = text.encode("utf-8", "backslashreplace")
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(content)
        else:
            _replace(path.resolve(), content)
    except OSError as error:
        raise MigsyncError(
            f"{path} cannot be written: {error.strerror}.", "Nothing was written.", "Name another file."
        ) from error


def _replace(path: Path, content: bytes) -> None:
    if path.exists() and not os.access(path, os.W_OK):
        raise PermissionError(13, "it is there, and read-only")
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
    with tempfile.NamedTemporaryFile("wb", dir=path.parent, prefix=f".{path.name}.", delete=False) as staged:
        try:
            staged.write(content)
            staged.flush()
            os.fsync(staged.fileno())
            Path(staged.name).chmod(mode)
            Path(staged.name).replace(path)
        except BaseException:
            Path(staged.name).unlink(missing_ok=True)
            raise


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
