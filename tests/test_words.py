"""Numbers and lists in sentences."""

from __future__ import annotations

import pytest

from migsync.words import count, sample, text_list, truncated


def test_count() -> None:
    assert [count(0, "row"), count(1, "row"), count(2, "row")] == ["0 rows", "1 row", "2 rows"]
    assert [count(1, "branch", "branches"), count(3, "branch", "branches")] == ["1 branch", "3 branches"]


@pytest.mark.parametrize(
    ("items", "most", "said"),
    [
        ("", None, ""),
        ("a", None, "a"),
        ("ab", None, "a and b"),
        ("abc", None, "a, b and c"),
        ("abc", 3, "a, b and c"),
        ("abcde", 3, "a, b, c and 2 more"),
        ("ab", 1, "a and 1 more"),
    ],
)
def test_text_list(items: str, most: int | None, said: str) -> None:
    assert text_list(items, most) == said
    assert text_list(items, most, last="or") == said.replace("and", "or")


def test_truncated() -> None:
    assert truncated([1, 2], 2) == ["1", "2"]
    assert truncated([1, 2, 3, 4], 2, "and {} more") == ["1", "2", "and 2 more"]
    assert truncated("abc", 2, spare=1) == ["a", "b", "c"]
    assert truncated("abcd", 2, spare=1) == ["a", "b", "2 more"]


def test_sample() -> None:
    assert [sample("ab", 2), sample("abc", 2), sample("abc", 1, "; ")] == ["a, b", "a, b and 1 more", "a and 2 more"]
