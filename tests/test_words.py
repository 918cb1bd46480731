"""Numbers and lists in sentences."""

from __future__ import annotations

import pytest

from migsync.words import count, did_you_mean, similar, text_list, truncated


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


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("shpo", ["shop"]),
        ("SHOP", ["shop"]),
        ("aply", ["apply"]),
        ("ord", ["orders"]),
        ("0003_prise", ["0003_price"]),
        ("price", ["0003_price"]),
        ("zzz", []),
        ("", []),
    ],
)
def test_what_a_misspelled_word_may_mean(given: str, meant: list[str]) -> None:
    assert similar(given, ["shop", "orders", "apply", "0003_price", "0001_initial"]) == meant


def test_a_beginning_means_what_begins_so_and_nothing_like_it() -> None:
    assert similar("0003", ["0003_b", "0003_a", "0004_a"]) == ["0003_a", "0003_b"]


def test_did_you_mean() -> None:
    assert did_you_mean("shpo", ["shop", "blog"]) == "Did you mean shop?"
    assert did_you_mean("shop1", ["shop2", "shop3"]) == "Did you mean shop3 or shop2?"
    assert did_you_mean("zzz", ["shop"], "The apps: shop.") == "The apps: shop."
    assert did_you_mean("zzz", []) == ""
