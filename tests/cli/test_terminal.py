"""At a terminal, without one, and where the output goes nowhere."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from textwrap import dedent

import pytest

from tests.cli.shop import MAPPED, NEW, OLD, Shop


def test_without_a_terminal_apply_and_undo_refuse(shop):
    refused = shop.rewrite().run("apply")
    assert (refused.status, shop.names("default")) == (1, OLD)
    assert "--noinput" in refused.err
    shop.run("apply", "--noinput")
    refused = shop.run("undo")
    assert (refused.status, shop.names("default")) == (1, NEW)
    assert "--noinput" in refused.err


def test_a_refused_apply_writes_no_rewrite(shop):
    assert shop.run("apply", *MAPPED).status == 1
    assert not (shop.root / "migration_rewrites").exists()


@pytest.mark.parametrize("answer", ["\n", "n\n", "\x04"])
def test_no_is_the_answer_unless_yes_is_typed(shop, answer):
    ended = shop.rewrite().at_terminal("apply", answers=[answer])
    assert "Make 3 changes in default? [y/N]:" in ended.out
    assert ended.status == 1
    assert "othing was changed." in ended.out
    assert shop.names("default") == OLD


def test_yes_applies_and_undoes(shop):
    shop.rewrite()
    assert shop.at_terminal("apply", answers=["y\n"]).status == 0
    assert shop.names("default") == NEW
    assert shop.at_terminal("undo", answers=["y\n"]).status == 0
    assert shop.names("default") == OLD


def test_ctrl_c_at_the_question(shop):
    ended = shop.rewrite().at_terminal("apply", answers=["\x03"])
    assert ended.status == 1
    assert "Interrupted. Nothing was changed." in ended.out
    assert shop.names("default") == OLD


@pytest.mark.fresh
@pytest.mark.parametrize(
    ("aliases", "sent", "status"),
    [
        (("second",), signal.SIGINT, 1),
        (("default", "second"), signal.SIGINT, 5),
        (("second",), signal.SIGTERM, 143),
        (("default", "second"), signal.SIGTERM, 5),
    ],
)
def test_ctrl_c_in_the_middle_says_what_really_happened(two, aliases, sent, status):
    # SQLite waits for a lock in C, where Python cannot see a signal; so it waits for a short time only.
    command = [sys.executable, "-m", "migsync", "apply", "--noinput", "--lock-timeout", "3"]
    for alias in aliases:
        command += ["--database", alias]
    # What is written last before the lock is waited for.
    sign = "default  applied" if "default" in aliases else "    rename  0003_price"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with (
        closing(sqlite3.connect(two.root / "second.sqlite3", isolation_level=None)) as holder,
        subprocess.Popen(command, cwd=two.root, env=two.environment(), **pipes) as process,
    ):
        holder.execute("BEGIN IMMEDIATE")
        while sign not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(sent)
        _, errors = process.communicate()
        holder.execute("ROLLBACK")
    assert process.returncode == status, errors
    assert "Interrupted. Nothing was changed" in errors
    assert "Traceback" not in errors
    assert two.names("second") == OLD[:2]
    assert two.names("default") == (NEW if "default" in aliases else OLD)


@pytest.mark.fresh
def test_a_signal_while_a_dataclass_is_made_keeps_the_status(tmp_path):
    # What making a dataclass does: Python remembers a KeyboardInterrupt that went through it until the process ends.
    source = """
        import sys
        from migsync.cli.signals import terminable

        def run():
            try:
                exec("raise KeyboardInterrupt")
            except KeyboardInterrupt:
                return 1

        sys.exit(terminable(run))
    """
    (tmp_path / "interrupted.py").write_text(dedent(source))
    command = [sys.executable, "-m", "interrupted"]
    assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 1


def test_a_terminal_has_colour_and_tables(shop):
    shown = shop.rewrite().at_terminal("plan").out
    assert "\x1b[" in shown
    assert "───" in shown


@pytest.mark.parametrize(("arguments", "environment"), [(("--color", "never"), {}), ((), {"NO_COLOR": "1"})])
def test_a_terminal_without_colour(shop, arguments, environment):
    shown = shop.rewrite().at_terminal("plan", *arguments, **environment).out
    assert "\x1b[" not in shown
    assert "───" in shown


def test_a_pipe_is_plain_and_never_cropped(shop):
    long_name = f"0003_{'very_' * 40}long"
    shop.execute("default", "UPDATE django_migrations SET name = ? WHERE id = 2", (long_name,))
    ended = shop.run("plan", "--map", f"shop.{long_name}=0002_price", *MAPPED[2:], COLUMNS="40")
    assert long_name in ended.out
    assert "\x1b" not in ended.out


def test_colour_is_there_when_it_is_asked_for(shop):
    shown = shop.rewrite().run("plan", "--color", "always", COLUMNS="40").out
    assert "\x1b[" in shown
    assert "0004_merge" in shown


def test_a_likely_pair_is_asked_about_and_becomes_a_rewrite(tmp_path):
    recorded, on_disk = ("0001_initial", "0002_price", "0003_sku"), ("0001_initial", "0012_price", "0003_sku")
    shop = Shop(tmp_path).write("default", names=on_disk).record("default", recorded)
    blocked = shop.run("apply", "--noinput")
    assert (blocked.status, shop.names("default")) == (1, recorded)
    assert "--map shop.0002_price=0012_price" in blocked.out
    no = shop.at_terminal("apply", answers=["n\n"])
    assert (no.status, shop.names("default")) == (1, recorded)
    yes = shop.at_terminal("apply", answers=["y\n", "y\n"])
    assert "shop.0002_price may have become shop.0012_price." in yes.out
    assert (yes.status, shop.names("default")) == (0, on_disk)
    assert len(list((shop.root / "migration_rewrites").glob("*.toml"))) == 1


def closed_pipe():
    """The writing end of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


@pytest.mark.parametrize(
    "arguments", [["plan"], ["plan", "--format", "json"], ["plan", "--color", "always"], ["log"], ["--help"]]
)
def test_a_reader_that_went_away_is_no_error_to_talk_about(shop, arguments):
    pipe = closed_pipe()
    ended = subprocess.run(
        [sys.executable, "-m", "migsync", *arguments],
        cwd=shop.root,
        env=shop.environment(),
        stdout=pipe,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(pipe)
    assert ended.stderr == b""


def test_a_reader_that_went_away_does_not_stop_an_apply(two):
    pipe = closed_pipe()
    command = [sys.executable, "-m", "migsync", "apply", "--noinput"]
    ended = subprocess.run(
        command, cwd=two.root, env=two.environment(), stdout=pipe, stderr=subprocess.PIPE, check=False
    )
    os.close(pipe)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert (two.names("default"), two.names("second")) == (NEW, NEW[:2])


def test_no_standard_output_at_all(shop):
    shop.rewrite()
    command = f"{sys.executable} -m migsync apply --noinput >&-"
    ended = subprocess.run(
        ["sh", "-c", command], cwd=shop.root, env=shop.environment(), capture_output=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert shop.names("default") == NEW


def test_output_that_cannot_be_written_is_said(shop):
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "migsync", "plan"],
            cwd=shop.root,
            env=shop.environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert ended.returncode == 1
    assert b"No space left" in ended.stderr
    assert b"Traceback" not in ended.stderr


def test_a_locale_that_cannot_spell_a_name_shows_it_escaped(shop):
    shop.execute("default", "UPDATE django_migrations SET name = '0003_pré' WHERE id = 2")
    ended = shop.run("plan", "--map", "shop.0003_pré=0002_price", *MAPPED[2:], PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert ended.status == 0, ended.err
    assert "0003_pr\\xe9" in ended.out


def test_a_question_fits_the_terminal(two):
    shown = two.at_terminal("apply", answers=["n\n"], COLUMNS="40").out.replace("\r\n", "\n")
    question = shown[shown.index("Make 4 changes") :].partition(" [y/N")[0].splitlines()
    assert " ".join(question) == "Make 4 changes in default, second?", shown
    assert max(map(len, question)) <= 30
