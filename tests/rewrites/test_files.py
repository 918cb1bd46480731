"""The rewrite files: what is written is read again, and what was edited is refused."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migsync.errors import RewriteError
from migsync.rewrites.rewrite import EVIDENCE, AppRewrite, Rewrite
from migsync.rewrites.rewrite_files import load_rewrites, to_toml, write_rewrite
from tests.recorder import validator

LINEARIZE = Rewrite(
    parents=(),
    command="linearize --app shop",
    created="2026-11-20T10:45:00Z",
    apps={
        "shop": AppRewrite(
            before=("0001_initial", "0003_alter_item_price", "0004_alter_item_price", "0005_merge"),
            after=("0001_initial", "0002_alter_item_price", "0003_alter_item_price"),
            removed=("0005_merge",),
            renamed=(
                ("0003_alter_item_price", "0002_alter_item_price"),
                ("0004_alter_item_price", "0003_alter_item_price"),
            ),
            depends={"0004_alter_item_price": ("0001_initial",)},
            digests_before={"0001_initial": "aa"},
            digests_after={"0001_initial": "aa"},
        )
    },
)


def rename(old: str, new: str, parents: tuple[str, ...] = (), created: str = "2026-01-01T00:00:00Z") -> Rewrite:
    return Rewrite(parents, "rewrite", created, {"shop": AppRewrite((old,), (new,), renamed=((old, new),))})


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = write_rewrite(tmp_path, LINEARIZE)
    assert path.name == "20261120T104500_linearize_shop.toml"
    (read,) = load_rewrites(tmp_path).ordered
    assert read == LINEARIZE
    assert read.id == LINEARIZE.id
    assert to_toml(read) == path.read_text()
    assert list(validator("rewrite_file").iter_errors(read.as_dict())) == []


def test_the_same_rewrite_is_written_once(tmp_path: Path) -> None:
    assert write_rewrite(tmp_path, LINEARIZE) == write_rewrite(tmp_path, LINEARIZE)
    assert len(list(tmp_path.iterdir())) == 1


def test_two_rewrites_of_one_second_get_two_files(tmp_path: Path) -> None:
    first, second = rename("0001_a", "0001_b"), rename("0002_a", "0002_b")
    assert write_rewrite(tmp_path, first) != write_rewrite(tmp_path, second)
    assert len(load_rewrites(tmp_path).ordered) == 2


def test_no_directory_is_no_rewrite(tmp_path: Path) -> None:
    assert load_rewrites(tmp_path / "migration_rewrites").ordered == ()


NAMES = st.text(st.characters(min_codepoint=32, exclude_characters="\x7f", exclude_categories=["Cs", "Cc"]), min_size=1)


@given(old=NAMES, new=NAMES, command=NAMES)
def test_any_name_survives_the_file(tmp_path_factory: pytest.TempPathFactory, old: str, new: str, command: str) -> None:
    rewrite = dataclasses.replace(rename(old, new), command=command)
    directory = tmp_path_factory.mktemp("rewrites")
    write_rewrite(directory, rewrite)
    assert load_rewrites(directory).ordered == (rewrite,)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("0002_alter", "0002_other", "was edited: its id"),
        ("format = 1", "format = 2", "has format 2"),
        ("removed = [", "removed = {", "cannot be read"),
        ('    "0005_merge",\n]\nafter', "]\nafter", "not among its old names"),
        ("created = 2026-11-20T10:45:00Z", "created = 12", "created is not a date"),
        ("created = 2026-11-20T10:45:00Z", "", "created is missing"),
        ('"0001_initial",\n    "0002', '"0001_initial\\u0007",\n    "0002', "control character"),
        ('"0001_initial",\n    "0002', '"' + "x" * 256 + '",\n    "0002', "a name of 256 characters"),
        ("id =", "nothing =", "id is missing"),
    ],
)
def test_an_edited_file_is_refused_by_name(tmp_path: Path, old: str, new: str, says: str) -> None:
    path = write_rewrite(tmp_path, LINEARIZE)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(RewriteError) as caught:
        load_rewrites(tmp_path)
    assert says in caught.value.found
    assert path.name in caught.value.found
    assert caught.value.hint


def test_a_missing_parent_is_named(tmp_path: Path) -> None:
    first = rename("0001_a", "0001_b")
    write_rewrite(tmp_path, rename("0001_b", "0001_c", parents=(first.id,)))
    with pytest.raises(RewriteError, match=first.id[:12]):
        load_rewrites(tmp_path)


def test_a_loop_is_named(tmp_path: Path) -> None:
    first = rename("0001_a", "0001_b")
    second = rename("0001_b", "0001_c", parents=(first.id,))
    path = write_rewrite(tmp_path, first)
    write_rewrite(tmp_path, second)
    path.write_text(path.read_text().replace("parents = []", f'parents = ["{second.id}"]'))
    with pytest.raises(RewriteError, match="in a loop"):
        load_rewrites(tmp_path)


def test_one_rewrite_in_two_files_is_refused(tmp_path: Path) -> None:
    path = write_rewrite(tmp_path, LINEARIZE)
    (tmp_path / "copy.toml").write_text(path.read_text())
    with pytest.raises(RewriteError, match="the same rewrite"):
        load_rewrites(tmp_path)


def test_a_directory_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "rewrites").write_text("a file where the directory should be")
    with pytest.raises(RewriteError, match="cannot be written"):
        write_rewrite(tmp_path / "rewrites", LINEARIZE)


def test_rewrites_come_after_their_parents_and_else_by_age(tmp_path: Path) -> None:
    early = rename("0001_a", "0001_b", created="2026-03-01T00:00:00Z")
    late = rename("0001_b", "0001_c", (early.id,), created="2026-01-01T00:00:00Z")
    other = rename("0009_a", "0009_b", created="2026-02-01T00:00:00Z")
    for rewrite in (late, early, other):
        write_rewrite(tmp_path, rewrite)
    rewrites = load_rewrites(tmp_path)
    assert rewrites.ordered == (other, early, late)
    assert set(rewrites.heads(())) == {other.id, late.id}


def test_two_branches_that_meet_are_a_finding_that_names_both_files(tmp_path: Path) -> None:
    paths = [write_rewrite(tmp_path, rename("0001_a", new)) for new in ("0001_b", "0001_c")]
    (finding,) = load_rewrites(tmp_path).conflicts(lambda _: ())
    assert all(path.name in finding.found for path in paths)


def test_two_branches_that_do_not_meet_are_no_finding(tmp_path: Path) -> None:
    first, second = rename("0001_a", "0001_b"), rename("0002_a", "0002_b")
    for rewrite in (first, second):
        write_rewrite(tmp_path, rewrite)
    rewrites = load_rewrites(tmp_path)
    assert rewrites.conflicts(lambda _: ()) == []
    assert set(rewrites.positions("shop")) == {
        frozenset(),
        frozenset({first.id}),
        frozenset({second.id}),
        frozenset({first.id, second.id}),
    }


def test_one_change_written_down_twice_is_one_rewrite(tmp_path: Path) -> None:
    """Two machines, each without the other's file; then both files meet, and one has a child."""
    first = rename("0001_a", "0001_b", created="2026-01-01T00:00:00Z")
    again = rename("0001_a", "0001_b", created="2026-01-02T00:00:00Z")
    child = rename("0001_b", "0001_c", (again.id,), created="2026-01-03T00:00:00Z")
    for rewrite in (first, again, child):
        write_rewrite(tmp_path, rewrite)
    rewrites = load_rewrites(tmp_path)
    assert rewrites.ordered == (first, child)
    assert rewrites.same == {again.id: first.id}
    assert rewrites.ancestors[child.id] == {first.id}
    assert rewrites.by_id[again.id] == first
    assert rewrites.conflicts(lambda _: ()) == []


def test_a_change_made_back_and_forth_is_not_one(tmp_path: Path) -> None:
    there = rename("0001_a", "0001_b")
    back = rename("0001_b", "0001_a", (there.id,))
    again = rename("0001_a", "0001_b", (back.id,))
    for rewrite in (there, back, again):
        write_rewrite(tmp_path, rewrite)
    assert load_rewrites(tmp_path).ordered == (there, back, again)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.toml")
    with pytest.raises(RewriteError, match="a device or a pipe"):
        load_rewrites(tmp_path)


@pytest.mark.parametrize(
    ("app", "name"),
    [
        (AppRewrite(("1", "3"), ("2",), removed=("3",), renamed=(("1", "2"),)), "rename_shop"),
        (AppRewrite(("1", "2", "3"), ("4",), removed=("3",), collapsed=((("1", "2"), ("4",)),)), "collapse_shop"),
        (AppRewrite(("1", "2"), ("1",), removed=("2",)), "remove_shop"),
    ],
)
def test_what_no_command_made_is_named_after_what_it_does(tmp_path: Path, app: AppRewrite, name: str) -> None:
    made = Rewrite((), EVIDENCE, "2026-01-01T00:00:00Z", {"shop": app})
    assert write_rewrite(tmp_path, made).name == f"20260101T000000_{name}.toml"
    assert load_rewrites(tmp_path).ordered == (made,)
