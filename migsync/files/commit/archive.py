"""The copies that a commit keeps: every file before and after, as members ``before/PATH`` and ``after/PATH`` of a tar.

A plain tar, so that a person can take files out of it without migsync.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Mapping

from migsync.decoder import shortened
from migsync.files.commit.record import Content, Slot, digest

BEFORE, AFTER = "before", "after"
CORRUPT = (ValueError, KeyError, tarfile.TarError)
"""What :func:`unpack` raises for an archive that does not hold what the record says."""


def pack(slots: Iterable[Slot], before: Mapping[str, bytes], after: Mapping[str, bytes]) -> bytes:
    """The archive of these slots; `before` and `after` are the bytes by path."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for slot in slots:
            for when, content, contents in ((BEFORE, slot.before, before), (AFTER, slot.after, after)):
                if content:
                    member = tarfile.TarInfo(f"{when}/{slot.path}")
                    member.size, member.mode = len(contents[slot.path]), content.mode
                    archive.addfile(member, io.BytesIO(contents[slot.path]))
    return packed.getvalue()


def unpack(packed: bytes, slots: Iterable[Slot], when: str) -> list[bytes]:
    """The bytes that the paths of these slots held `when` BEFORE, or AFTER; raises one of CORRUPT."""
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:") as archive:
        members = {member.name: member for member in archive}
        return [_unpacked(archive, members[f"{when}/{slot.path}"], held(slot, when)) for slot in slots]


def held(slot: Slot, when: str) -> Content | None:
    """What the record says that a slot's path held; None where there was no file."""
    return slot.before if when == BEFORE else slot.after


def _unpacked(archive: tarfile.TarFile, member: tarfile.TarInfo, expected: Content | None) -> bytes:
    """The content of one member, which must be the one that the record names. Raises ValueError."""
    # Links and sparse members could make the archive yield bytes that are not in it.
    file = archive.extractfile(member) if member.isreg() and not member.issparse() else None
    content = file.read() if file else b""
    if file is None or expected is None or digest(content) != expected.digest:
        raise ValueError(f"{shortened(member.name)} is not what it was")
    return content
