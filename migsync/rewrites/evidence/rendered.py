"""Django's own answer to which tables files make, where reading them is not enough.

Two workers run the operations on Django's project state: one with the old files of the app in place of those on disk,
the other with today's. The answer is kept with the project's cache, so that it is asked for once.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

from migsync.errors import MigsyncError
from migsync.history import App
from migsync.rewrites.evidence.collapses import RunFile
from migsync.rewrites.evidence.resets import Render, Sides
from migsync.rewrites.file_state import FileState
from migsync.rewrites.git import GitHistory
from migsync.worker.client import ask
from migsync.worker.codec import Files, decode, encode
from migsync.worker.made_tables import TablesRequest, TablesResult
from migsync.worker.runtime import Runtime
from migsync.worker.task import TABLES, WorkerFailure

Whole: TypeAlias = "Callable[[], tuple[Path, bytes] | None]"
"""The top of a repository, and all that it had at a commit, as a tar archive."""


@dataclass(frozen=True)
class Renderings:
    """Asks the workers. `runtime` raises ProjectError where the project cannot be run; `cache` is a directory."""

    runtime: Callable[[], Runtime]
    cache: Path

    def of(self, app: App, git: GitHistory) -> Render:
        """The answers about one app, whose old files git has."""

        def render(state: FileState, olds: Sequence[str], news: Sequence[str]) -> Sides | str:
            old = git.sources(app.label, state)
            return self._answer(app, old, olds, news, lambda: git.whole(app.label, state)) if old else ""

        return render

    def _answer(
        self, app: App, old: Mapping[str, bytes], olds: Sequence[str], news: Sequence[str], whole: Whole
    ) -> Sides | str:
        directory = os.path.realpath(app.directory or "")
        paths = {name: f"{directory}{os.sep}{name}.py" for name in (*old, *news)}
        try:
            new = {name: Path(paths[name]).read_bytes() for name in news}
        except OSError as error:
            # Somebody changes the files in this moment.
            return f"The files on disk cannot be read: {error.strerror}."
        kept = self.cache / f"{_digest(app.label, olds, old, new)}.json"
        found = _kept(kept)
        if found is None:
            files: Files = {paths[name]: old.get(name) for name in paths}
            requests = [TablesRequest(app.label, tuple(names)) for names in (olds, news)]
            try:
                before, after = ask(self.runtime(), TABLES, requests, [files, {}])
                if isinstance(before, WorkerFailure):
                    # The code that the old files import may be gone.
                    before = self._at_commit(requests[0], whole) or before
            except MigsyncError as error:
                return str(error)
            if isinstance(before, WorkerFailure):
                return f"The old files cannot be run, also not with the code of their commit. {before.sentence}."
            if isinstance(after, WorkerFailure):
                return f"The files on disk cannot be run. {after.sentence}."
            found = [before, after]
            _keep(kept, found)
        of_old, of_new = ([RunFile(*each) for each in side.files] for side in found)
        return of_old, of_new

    def _at_commit(self, request: TablesRequest, whole: Whole) -> TablesResult | None:
        """The tables by the code of the commit that the old files are from, in a directory that is removed again."""
        archive = whole()
        # Before Python 3.11.4, an archive cannot be unpacked safely.
        if archive is None or not hasattr(tarfile, "data_filter"):
            return None
        top, content = archive
        with TemporaryDirectory(prefix="migsync-") as place:
            with tarfile.open(fileobj=io.BytesIO(content)) as tar:
                tar.extractall(place, filter="data")
            [answer] = ask(_moved(self.runtime(), top, Path(place)), TABLES, [request])
        return None if isinstance(answer, WorkerFailure) else answer


def _moved(runtime: Runtime, top: Path, place: Path) -> Runtime:
    """The runtime of the same project, whose repository is at `place`."""

    def moved(path: Path | str) -> Path:
        real = Path(os.path.realpath(path))
        return place / real.relative_to(top) if real.is_relative_to(top) else real

    return runtime._replace(
        root=moved(runtime.root),
        search_path=tuple(str(moved(each)) for each in runtime.search_path),
        python_path=tuple(str(moved(each)) for each in runtime.python_path),
    )


def _digest(app: str, olds: Sequence[str], *sides: Mapping[str, bytes]) -> str:
    found = hashlib.sha256(encode([app, *olds]).encode())
    for side in sides:
        for name, content in side.items():
            found.update(f"\n{name} {len(content)}\n".encode() + content)
    return found.hexdigest()[:32]


def _kept(path: Path) -> list[TablesResult] | None:
    try:
        lines = path.read_text(encoding="ascii").splitlines()
        return [decode(TablesResult, line) for line in lines] if len(lines) == 2 else None
    except (OSError, ValueError, TypeError):
        return None


def _keep(path: Path, found: Sequence[TablesResult]) -> None:
    """Without a place to write, it is asked for again the next time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{encode(each)}\n" for each in found), encoding="ascii")
    except OSError:
        return
