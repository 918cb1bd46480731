"""Fixtures of the command line's tests."""

from __future__ import annotations

import pytest

from tests.cli.shop import Shop


@pytest.fixture
def shop(tmp_path):
    """A project whose one database, `default`, holds the old names."""
    return Shop(tmp_path).write("default").record("default")


@pytest.fixture
def two(tmp_path):
    """A project with two databases that hold the old names, and a rewrite that tells the new ones."""
    return Shop(tmp_path).write("default", "second").record("default").record("second", OLD_OF_SECOND).rewrite()


OLD_OF_SECOND = ("0001_initial", "0003_price")
