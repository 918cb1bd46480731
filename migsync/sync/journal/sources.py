"""The sources of migration files, kept in the database where ``contents = "source"`` says so.

One row for each distinct file, under the SHA-256 of its bytes: the compressed bytes in base64, which any character set
of a database holds.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from migsync.engines import Engine
from migsync.errors import TargetError
from migsync.filesystem.boundary import SOURCE_LIMIT
from migsync.sync.journal.tables import SOURCE_TABLE, has_looks, write_documents


def packed_source(source: bytes) -> str:
    """The bytes as they are stored."""
    return base64.b64encode(zlib.compress(source)).decode("ascii")


def unpacked_source(document: str, digest: str) -> bytes:
    """The inverse of :func:`packed_source`. Raises TargetError for what does not have this digest."""
    try:
        unpacker = zlib.decompressobj()
        # A few bytes can stand for any number of them, and somebody else may have written the row.
        source = unpacker.decompress(base64.b64decode(document, validate=True), SOURCE_LIMIT)
    except (zlib.error, binascii.Error, ValueError) as error:
        raise _damaged(digest) from error
    if hashlib.sha256(source).hexdigest() != digest:
        raise _damaged(digest)
    return source


def read_sources(
    connection: sa.Connection, schema: str | None, digests: Iterable[str], version: str
) -> dict[str, bytes]:
    """The files with these digests that are kept here. Raises TargetError for one that was damaged."""
    wanted = sorted(set(digests))
    if not wanted or not has_looks(version):
        return {}
    table = sa.table(SOURCE_TABLE, sa.column("digest"), sa.column("document"), schema=schema)
    rows = connection.execute(sa.select(table.c.digest, table.c.document).where(table.c.digest.in_(wanted)))
    return {row.digest: unpacked_source(row.document, row.digest) for row in rows}


def kept_sources(connection: sa.Connection, schema: str | None) -> frozenset[str]:
    """The digests of all files that are kept here."""
    table = sa.table(SOURCE_TABLE, sa.column("digest"), schema=schema)
    return frozenset(connection.scalars(sa.select(table.c.digest)))


def write_sources(
    connection: sa.Connection, behaviour: Engine, schema: str | None, sources: Mapping[str, bytes]
) -> None:
    """Keep files under their digests."""
    documents = {digest: packed_source(source) for digest, source in sources.items()}
    write_documents(connection, behaviour, schema, SOURCE_TABLE, documents)


def _damaged(digest: str) -> TargetError:
    return TargetError(
        f"The source {digest} in {SOURCE_TABLE} cannot be read.",
        "The row was edited or cut off.",
        "Restore the row from a backup, or delete it.",
    )
