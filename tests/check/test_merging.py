"""Where a hook and a CI job run `migsync check`, what changes names is merged with its rewrite, or not at all."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.check.branch import Branch, field, model
from tests.profiles import THOROUGH

# As git runs it: in a bare repository, with GIT_DIR set, before the branch moves. It is the CI job of a pull request.
UPDATE = """#!/bin/sh
set -e
test "$1" = refs/heads/main || exit 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git clone --quiet --shared . "$work" 2>/dev/null
unset GIT_DIR GIT_QUARANTINE_PATH
cd "$work"
git checkout --quiet "$3"
exec {python} -m migsync check --against "$2" --format github
"""
HOOKS = Path(__file__).parents[2] / ".pre-commit-hooks.yaml"
[ENTRY] = re.findall(r"entry: (.+)", HOOKS.read_text(encoding="utf-8"))
# As pre-commit starts the hook `migsync-check`.
PRE_COMMIT = f"""#!/bin/sh
export PRE_COMMIT=1
exec {{python}} -m {ENTRY}
"""


class Team:
    """A clone, and the remote that it pushes to."""

    def __init__(self, root: Path) -> None:
        self.mine = Branch(root / "mine")
        self.mine.git("init", "-q", "--bare", str(root / "remote"))
        self.mine.git("remote", "add", "origin", str(root / "remote"))
        self.mine.git("push", "-q", "origin", "main")
        self.mine.git("fetch", "-q")
        self.install(root / "remote" / "hooks" / "update", UPDATE)

    def install(self, place: Path, text: str) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text.format(python=sys.executable))
        place.chmod(0o755)

    def merge(self) -> str:
        """Push the branch to main; what the remote says where it refuses."""
        try:
            self.mine.git("push", "-q", "origin", "work:main")
        except subprocess.CalledProcessError as refused:
            return str(refused.stderr)
        self.mine.git("fetch", "-q")
        return ""


def test_no_change_of_names_is_merged_without_its_rewrite(tmp_path: Path) -> None:
    team = Team(tmp_path)
    mine = team.mine

    def exchange() -> None:
        mine.operations("0003_number", ["0001_initial"], field("price"))
        mine.operations("0002_price", ["0003_number"], field("sku"))

    def reset() -> None:
        mine.delete("0002_price", "0003_number")
        mine.operations("0001_initial", (), model("price", "sku"))

    renaming = lambda: mine.rename("0003_sku", "0003_number", "0002_price")  # noqa: E731
    for change in (renaming, exchange, reset) if THOROUGH else (renaming, reset):
        change()
        mine.commit("by hand")
        said = team.merge()
        assert "::error file=shop/migrations/" in said
        assert "missing-rewrite" in said
        assert mine.check("--write").status == 0
        mine.commit("the rewrite")
        assert team.merge() == ""
    mine.operations("0002_stock", ["0001_initial"], field("stock"))
    mine.commit("a new migration")
    assert team.merge() == ""
    mine.operations("0002_stock", ["0001_initial"], field("weight"))
    mine.commit("another one under its name")
    assert "edited-migration" in team.merge()
    # Used again, it is merged where the first one has a file, and a rewrite that says so.
    mine.operations("0003_stock", ["0001_initial"], field("stock"))
    mine.operations("0002_stock", ["0003_stock"], field("weight"))
    mine.commit("both")
    assert "missing-rewrite" in team.merge()
    assert mine.check("--write").status == 0
    mine.commit("the rewrite")
    assert team.merge() == ""


def test_the_hook_stops_the_commit_and_lets_it_pass_with_the_rewrite(tmp_path: Path) -> None:
    team = Team(tmp_path)
    mine = team.mine
    team.install(tmp_path / "hooks" / "pre-commit", PRE_COMMIT)

    def commit() -> str:
        mine.git("add", "-A")
        # The other commits of the tests run no hooks.
        settings = (f"core.hooksPath={tmp_path / 'hooks'}", "user.name=A", "user.email=a@example.org")
        done = subprocess.run(
            ["git", *(word for each in settings for word in ("-c", each)), "commit", "-q", "-m", "work"],
            cwd=mine.root,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout + done.stderr if done.returncode else ""

    mine.rename("0003_sku", "0003_number", "0002_price")
    assert "[missing-rewrite]" in commit()
    assert mine.check("--write").status == 0
    assert commit() == ""
    assert team.merge() == ""
