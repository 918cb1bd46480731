"""Each test has the marker of what it needs, and pure tests are held to it."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from tests import kinds


def connect():
    with socket.socket() as connection:
        connection.connect(("127.0.0.1", 1))


DOES = {
    "a process": lambda: subprocess.run([sys.executable, "-c", ""], check=True),
    "a program": lambda: subprocess.run(["true"], check=True),
    "a socket": connect,
}


@pytest.mark.pure
@pytest.mark.parametrize("does", DOES.values(), ids=DOES)
def test_a_pure_test_cannot_do_that(does):
    with pytest.raises(kinds.NotPure, match="is marked pure"):
        does()


@pytest.mark.parametrize(("engine", "kind"), [("sqlite", "django"), ("postgresql", "server"), ("mysql", "server")])
def test_the_engine_decides(request, engine, kind):
    assert [marker.name for marker in request.node.iter_markers() if marker.name in kinds.KINDS] == [kind]


def test_a_fixture_decides(request, postgresql_database):
    assert request.node.get_closest_marker("server")


def test_every_place_of_pure_tests_is_there():
    assert [place for place in kinds.PURE if not (kinds.TESTS / place).exists()] == []
