"""Sources that are kept: byte by byte, under their digest, and never misread."""

from __future__ import annotations

import base64
import hashlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migsync.errors import TargetError
from migsync.sync.journal.sources import packed_source, unpacked_source


@given(st.binary(max_size=2000))
def test_a_source_comes_back_byte_by_byte(source: bytes) -> None:
    packed = packed_source(source)
    assert packed.isascii()
    assert unpacked_source(packed, hashlib.sha256(source).hexdigest()) == source


@pytest.mark.parametrize(
    "document",
    [
        "",
        "no base64!",
        base64.b64encode(b"not compressed").decode(),
        packed_source(b"another file"),
        # Some kilobytes that stand for more memory than there may be.
        base64.b64encode(zlib.compress(bytes(2**26))).decode(),
    ],
)
def test_a_damaged_source_is_not_shown(document: str) -> None:
    with pytest.raises(TargetError, match="cannot be read"):
        unpacked_source(document, hashlib.sha256(b"a file").hexdigest())
