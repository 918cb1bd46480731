"""A directory as one text file, so that git shows what is in it, and no tool takes its migrations for our code.

Each file begins with a line ``-- MODE PATH --`` and ends before the next one. ``bare`` before the mode marks a text
without an end of its last line, ``zlib`` what is not text (the copies that a change of files keeps): zlib in base64.
"""

from __future__ import annotations

import base64
import re
import textwrap
import zlib
from pathlib import Path

HEADER = re.compile(r"^-- (?:(zlib|bare) )?([0-7]{3}) (\S.*) --\n", re.MULTILINE)
IGNORED = {"__pycache__"}


def pack(directory: Path) -> str:
    """All files below `directory`, in the order of their paths."""
    paths = [path for path in sorted(directory.rglob("*")) if path.is_file() and not IGNORED & set(path.parts)]
    return "".join(_packed(path, path.relative_to(directory).as_posix()) for path in paths)


def unpack(text: str, directory: Path) -> None:
    """The files, with their modes, below `directory`."""
    headers = list(HEADER.finditer(text))
    ends = [header.start() for header in headers[1:]] + [len(text)]
    for header, end in zip(headers, ends, strict=True):
        form, mode, name = header.groups()
        content = text[header.end() : end].encode()
        if form == "bare":
            content = content.removesuffix(b"\n")
        elif form == "zlib":
            content = zlib.decompress(base64.b64decode(content))
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(int(mode, 8))


def _packed(path: Path, name: str) -> str:
    content, place = path.read_bytes(), f"{path.stat().st_mode & 0o777:o} {name} --"
    if not _is_text(content):
        wrapped = textwrap.fill(base64.b64encode(zlib.compress(content, 9)).decode(), 120)
        return f"-- zlib {place}\n{wrapped}\n"
    if content and not content.endswith(b"\n"):
        return f"-- bare {place}\n{content.decode()}\n"
    return f"-- {place}\n{content.decode()}"


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return False
    return text.replace("\n", "").replace("\t", "").isprintable()
