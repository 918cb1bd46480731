"""File systems that really are full, read-only, or somebody else's."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from migsync.errors import FilesRefused
from migsync.files.commit import commit, is_open, recover_files
from tests.databases import unavailable
from tests.files.commit.story import is_new, killed, make_project, make_proposal, project_at, tree

NOBODY = 65534


@contextmanager
def mounted(place: Path, *arguments: str) -> Iterator[None]:
    done = subprocess.run(["mount", *arguments, str(place)], capture_output=True, text=True)
    if done.returncode:
        # Not a failure in CI: few of its machines let a test mount anything. The seam covers the same calls.
        pytest.skip(f"mount is not permitted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


def refused(root: Path, said: str) -> None:
    """A commit changes nothing, says why, and leaves nothing to be settled."""
    before = tree(root)
    with pytest.raises(FilesRefused, match=said):
        commit(project_at(root), make_proposal(root))
    assert tree(root) == before
    assert not is_open(root)


def test_a_full_disk_at_any_size_of_what_is_left(tmp_path: Path) -> None:
    root = tmp_path / "full"
    root.mkdir()
    ends = []
    with mounted(root, "-t", "tmpfs", "-o", "size=512k", "none"):
        for free in range(40):
            project = make_project(root)
            filler = root / "filler"
            with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
                while True:
                    file.write(b"x" * 4096)
            os.truncate(filler, filler.stat().st_size - 4096 * free)
            try:
                commit(project, make_proposal(root))
            except FilesRefused as error:
                assert "No space left" in str(error)
                recover_files(root, lambda *_: None)
            filler.unlink()
            ends.append(is_new(tree(root)))
            subprocess.run(f"rm -r '{root}'/* '{root}/.migsync'", shell=True, check=False, stderr=subprocess.DEVNULL)
    assert ends == sorted(ends)
    assert {True, False} == set(ends)


def test_a_read_only_directory_of_migrations(tmp_path: Path) -> None:
    make_project(tmp_path)
    shop = tmp_path / "core/migrations"
    with mounted(shop, "--bind", str(shop)):
        subprocess.run(["mount", "-o", "remount,bind,ro", str(shop)], check=True)
        refused(tmp_path, "Read-only file system")


def test_a_read_only_project(tmp_path: Path) -> None:
    make_project(tmp_path)
    with mounted(tmp_path, "--bind", str(tmp_path)):
        subprocess.run(["mount", "-o", "remount,bind,ro", str(tmp_path)], check=True)
        refused(tmp_path, "Read-only file system")


def refused_to_nobody(root: Path) -> None:
    os.setgroups([])
    os.setuid(NOBODY)
    refused(root, "Permission denied")


@pytest.mark.parametrize("closed", ["core/migrations", "shop/migrations", "."])
def test_a_directory_of_somebody_else(closed: str) -> None:
    with tempfile.TemporaryDirectory() as place:
        root = Path(place).resolve()
        root.chmod(0o755)
        make_project(root)
        if os.geteuid() == 0:
            for path in [root, *root.rglob("*")]:
                os.chown(path, NOBODY, NOBODY)
            os.chown(root / closed, 0, 0)
            (root / closed).chmod(0o755)
            assert not killed(refused_to_nobody, root)
        else:
            (root / closed).chmod(0o555)
            refused(root, "Permission denied")
            (root / closed).chmod(0o755)


def test_what_root_makes_belongs_to_whoever_has_the_directory(tmp_path: Path) -> None:
    if os.geteuid():
        unavailable("only root can give files away")
    project = make_project(tmp_path)
    for path in [tmp_path, *tmp_path.rglob("*")]:
        os.chown(path, NOBODY, NOBODY)
    commit(project, make_proposal(tmp_path))
    assert {path.stat().st_uid for path in tmp_path.rglob("*")} == {NOBODY}
