"""Files that a person asked a command to write."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from migsync.errors import MigsyncError
from migsync.filesystem.atomic import PartlyWritten, write_file, write_files


def write_output(path: Path, text: str) -> None:
    """Put `text` (as UTF-8) into `path`, whole or not at all; see :func:`migsync.filesystem.atomic.write_file`.

    Raises MigsyncError.
    """
    try:
        write_file(path, _encoded(text))
    except OSError as error:
        raise MigsyncError(
            f"{path} cannot be written: {error.strerror}.",
            "Nothing was written. A file of this name is unchanged.",
            "Name another file.",
        ) from error


def write_outputs(directory: Path, texts: Mapping[Path, str]) -> None:
    """Put several texts into files in `directory`, which is made if need be: all of them, or none.

    Raises MigsyncError, which says which files were written where that is not all or none.
    """
    try:
        if texts:
            directory.mkdir(parents=True, exist_ok=True)
        write_files({path: _encoded(text) for path, text in texts.items()})
    except PartlyWritten as error:
        raise MigsyncError(
            f"Not all files can be written to {directory}: {error.strerror} ({error.filename}).",
            f"These were written, and the others are unchanged: {', '.join(map(str, error.written))}.",
            "Correct the cause, then run the command again with --force.",
        ) from error
    except OSError as error:
        raise MigsyncError(
            f"The files cannot be written to {directory}: {error.strerror}.",
            "None was written. Files of these names are unchanged.",
            "Name another directory.",
        ) from error


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")
