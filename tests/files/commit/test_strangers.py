"""Somebody else changes files at the same time: nothing of theirs is lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from migsync.errors import FilesLocked, FilesRefused, MigsyncError, StaleFiles, Unsettled
from migsync.files.commit import commit, commits, is_open, recover_files, undo_files
from migsync.files.commit.lock import locked
from migsync.files.commit.store import Store
from migsync.files.commit.syscalls import Files
from tests.files.commit.story import (
    BEFORE,
    MOVES,
    REMOVED,
    after_files,
    files_of,
    is_new,
    make_project,
    make_proposal,
    processes,
    project_at,
    tree,
)


@pytest.mark.parametrize("name", [*MOVES, *REMOVED])
@pytest.mark.parametrize("what", ["was edited", "was deleted"])
def test_a_file_that_changed_since_it_was_shown(tmp_path: Path, name: str, what: str) -> None:
    project, proposal = make_project(tmp_path), make_proposal(tmp_path)
    if what == "was deleted":
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(BEFORE[name][0] + b"# mine\n")
    before = tree(tmp_path)
    with pytest.raises(StaleFiles, match=f"{name} {what}"):
        commit(project, proposal)
    assert tree(tmp_path) == before
    assert not is_open(tmp_path)


def test_a_file_that_appeared_since_it_was_shown(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    (tmp_path / "shop/migrations/0002_b.py").write_bytes(b"# mine\n")
    with pytest.raises(StaleFiles, match=r"0002_b\.py is new"):
        commit(project, make_proposal(tmp_path))


def test_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    path = tmp_path / "shop/migrations/0003_b.py"
    path.rename(tmp_path / "elsewhere.py")
    path.symlink_to(tmp_path / "elsewhere.py")
    with pytest.raises(FilesRefused, match="symbolic links"):
        commit(project, make_proposal(tmp_path))


def test_a_root_that_is_reached_through_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "some/where/real", tmp_path / "link"
    link.symlink_to(real)
    make_project(real)
    project = replace(project_at(link), rewrites=link / "../real/rewrites")
    commit(project, make_proposal(link))
    assert [path.name for path in (real / "rewrites").iterdir()] == ["20260201T100000_linearize_shop.toml"]
    assert {name: held for name, held in files_of(tree(real)).items() if "rewrites" not in name} == after_files()
    undo_files(project, commits(link)[0])
    assert files_of(tree(real)) == BEFORE
    assert not (real / "rewrites").exists()


@pytest.mark.parametrize("rewrites", ["../rewrites", "link/rewrites"])
def test_a_place_outside_the_root_is_refused(tmp_path: Path, rewrites: str) -> None:
    root = tmp_path / "project"
    (tmp_path / "elsewhere").mkdir()
    project = replace(make_project(root), rewrites=root / rewrites)
    (root / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FilesRefused, match="only files inside"):
        commit(project, make_proposal(root))
    assert sorted(path.name for path in tmp_path.rglob("*") if "rewrites" in path.name) == []
    assert not is_open(root)


def test_copies_that_are_gone_are_told_of(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    commit(project, make_proposal(tmp_path)).backup.unlink()
    with pytest.raises(FilesRefused, match=r"The copies of the files in .*files\.tar cannot be read"):
        undo_files(project, commits(tmp_path)[0])


def test_a_record_that_cannot_be_read_says_what_to_do(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    with pytest.raises(Unsettled):
        commit(project, make_proposal(tmp_path), files=meddle_when_decided(tmp_path, REMOVED[0], b"# mine\n"))
    Store(tmp_path).open_file.write_bytes(b"{}")
    with pytest.raises(Unsettled, match=r"(?s)cannot be read.*rm /.*/open"):
        recover_files(tmp_path, lambda *_: None)


def meddle_when_decided(root: Path, name: str, content: bytes | None) -> Files:
    """Files on which somebody else writes `name`, or removes it, just after the commit was decided."""
    done = False

    def fault(_call: str, _path: Path) -> None:
        nonlocal done
        opened = None if done else Store(root).opened()
        if opened and opened[0].state == "decided":
            done = True
            if content is None:
                (root / name).unlink()
            else:
                (root / name).write_bytes(content)

    return Files(fault)


# A file that gets another content, one that has a new name, one that nobody moves there, and the rewrite.
@pytest.mark.parametrize(
    "name", ["blog/migrations/0001_initial.py", "shop/migrations/0003_b.py", "shop/migrations/0002_b.py"]
)
def test_a_file_that_changed_in_the_middle_keeps_both_versions(tmp_path: Path, name: str) -> None:
    project = make_project(tmp_path)
    path, aside = tmp_path / name, tmp_path / f"{name}.migsync-new"
    with pytest.raises(Unsettled, match=rf"{name}: migsync's version is in {aside.name}"):
        commit(project, make_proposal(tmp_path), files=meddle_when_decided(tmp_path, name, b"# mine\n"))
    ours, mode = after_files()[name]
    assert path.read_bytes() == b"# mine\n"
    assert (aside.read_bytes(), aside.stat().st_mode & 0o777) == (ours, mode)
    # Nothing else was changed yet, and nothing is until a person has chosen.
    rest = {key: held for key, held in files_of(tree(tmp_path)).items() if ".migsync-" not in key and key != name}
    assert rest == {key: held for key, held in BEFORE.items() if key != name}
    for _ in range(2):
        with pytest.raises(Unsettled):
            recover_files(tmp_path, lambda *_: None)
        assert path.read_bytes() == b"# mine\n"
    with pytest.raises(Unsettled, match="was interrupted"):
        commit(project, make_proposal(tmp_path))

    path.write_bytes(ours + b"# mine\n")
    aside.unlink()
    assert recover_files(tmp_path, lambda *_: None)
    assert path.read_bytes() == ours + b"# mine\n"
    path.write_bytes(ours)
    path.chmod(mode)
    assert is_new(tree(tmp_path))


def test_taking_ours_settles_it_too(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    name = "shop/migrations/0003_b.py"
    with pytest.raises(Unsettled):
        commit(project, make_proposal(tmp_path), files=meddle_when_decided(tmp_path, name, b"# mine\n"))
    (tmp_path / f"{name}.migsync-new").replace(tmp_path / name)
    assert recover_files(tmp_path, lambda *_: None)
    assert is_new(tree(tmp_path))


def test_a_file_to_be_removed_that_changed_in_the_middle_stays(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    path = tmp_path / REMOVED[0]
    with pytest.raises(Unsettled, match="wants to delete it"):
        commit(project, make_proposal(tmp_path), files=meddle_when_decided(tmp_path, REMOVED[0], b"# mine\n"))
    assert path.read_bytes() == b"# mine\n"
    path.unlink()
    assert recover_files(tmp_path, lambda *_: None)
    assert is_new(tree(tmp_path))


def test_staged_files_that_were_cleaned_away_are_written_again(tmp_path: Path) -> None:
    """`git clean` in the middle."""
    project = make_project(tmp_path)

    cleaned: list[Path] = []

    def fault(_call: str, _path: Path) -> None:
        opened = None if cleaned else Store(tmp_path).opened()
        if opened and opened[0].state == "decided":
            cleaned.extend(tmp_path.rglob(".migsync-*"))
            for staged in cleaned:
                staged.unlink()

    commit(project, make_proposal(tmp_path), files=Files(fault))
    assert is_new(tree(tmp_path))


def test_an_undo_refuses_files_that_were_changed_since(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    made = commit(project, make_proposal(tmp_path))
    mine = tmp_path / "shop/migrations/0003_b.py"
    mine.write_bytes(mine.read_bytes() + b"# mine\n")
    (tmp_path / "shop/migrations/0008_merge.py").write_bytes(b"# mine\n")
    before = tree(tmp_path)
    with pytest.raises(StaleFiles, match=r"(?s)0003_b\.py.*0008_merge\.py.*files\.tar"):
        undo_files(project, commits(tmp_path)[0])
    assert tree(tmp_path) == before
    assert made.backup.is_file()


def test_an_undo_is_made_once(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    commit(project, make_proposal(tmp_path))
    (record,) = commits(tmp_path)
    undo_files(project, record)
    with pytest.raises(StaleFiles, match="is already undone"):
        undo_files(project, record)


def test_another_process_holds_the_lock(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    store = Store(tmp_path)
    store.prepare()
    with locked(store.lock_file, Files(), 0), pytest.raises(FilesLocked, match=r"process \d+"):
        commit(project, make_proposal(tmp_path), timeout=0)
    assert not is_new(tree(tmp_path))
    # The file of a lock that nobody holds any more is in nobody's way.
    commit(project, make_proposal(tmp_path), timeout=0)


def test_whoever_comes_in_waits_while_files_are_being_changed(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    said: list[str] = []

    def look(_call: str, _path: Path) -> None:
        if is_open(tmp_path):
            with pytest.raises(FilesLocked) as caught:
                recover_files(tmp_path, lambda *_: None, timeout=0)
            said.append(str(caught.value))

    commit(project, make_proposal(tmp_path), files=Files(look))
    assert len(said) > 50
    assert is_new(tree(tmp_path))


def test_new_names_are_never_seen_without_the_rewrite(tmp_path: Path) -> None:
    """By somebody who does not ask migsync: an editor, git, another tool."""
    project = make_project(tmp_path)
    seen: list[tuple[bool, bool]] = []

    def look(_call: str, _path: Path) -> None:
        names = {path.name: path.read_bytes() for path in (tmp_path / "shop/migrations").glob("*.py")}
        old = {Path(name).name: content for name, (content, _) in BEFORE.items() if name.startswith("shop")}
        seen.append((any(project.rewrites.glob("*.toml")), names == old))

    commit(project, make_proposal(tmp_path), files=Files(look))
    undo_files(project, commits(tmp_path)[0], files=Files(look))
    assert {(True, False), (False, True)} <= set(seen)
    assert (False, False) not in set(seen)


def rival(root: Path, barrier: object, results: object) -> None:
    barrier.wait()  # type: ignore[attr-defined]
    try:
        commit(project_at(root), make_proposal(root), timeout=60)
        results.put("made")  # type: ignore[attr-defined]
    except MigsyncError as error:
        results.put(type(error).__name__)  # type: ignore[attr-defined]


def test_of_many_processes_at_once_one_makes_the_change(tmp_path: Path) -> None:
    make_project(tmp_path)
    barrier, results = processes.Barrier(6), processes.Queue()
    children = [processes.Process(target=rival, args=(tmp_path, barrier, results)) for _ in range(6)]
    for child in children:
        child.start()
    said = sorted(results.get() for _ in children)
    for child in children:
        child.join()
    assert said == ["StaleFiles"] * 5 + ["made"]
    assert is_new(tree(tmp_path))
    assert len(commits(tmp_path)) == 1
