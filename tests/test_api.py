"""``migsync.api``: what each function returns, changes and raises; and the code of its page, which runs."""

from __future__ import annotations

import re
import subprocess
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from inspect import signature
from pathlib import Path

import pytest

from migsync import api
from tests.cli.entries import NEW, OLD, Entry, Project, names, record
from tests.databases import Database
from tests.recorder import validator

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "python-api.md"


@pytest.fixture
def project(tmp_path: Path, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> api.Project:
    Project.make(tmp_path, {"default": Entry(record(sqlite_database).url)})
    monkeypatch.setenv("MIGSYNC_CACHE", str(tmp_path / "cache"))
    return api.find_project(root=tmp_path)


def test_survey_plan_apply_undo(
    project: api.Project, sqlite_database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sqlite_database.dump()
    found = api.survey(project)
    assert not found.up_to_date
    assert [(each.alias, each.state, each.last_run) for each in found.databases] == [("default", "changes", None)]
    plans = api.plan(project)
    (change,) = plans.plans[0].changes
    assert list(validator("plan_file").iter_errors(plans.as_dict())) == []
    assert (change.kind, change.before.name, change.after.name) == (api.ChangeKind.RENAME, OLD[1], NEW[1])
    assert sqlite_database.dump() == before
    (result,) = api.apply(project, plans, reason="release 42")
    assert (result.alias, result.status, result.run.reason) == ("default", "applied", "release 42")
    assert names(sqlite_database) == NEW
    assert api.survey(project).up_to_date
    assert api.survey(project).databases[0].last_run == result.run
    file = tmp_path / "plan.json"
    api.save_plans(file, plans)
    assert [each.status for each in api.apply(project, file)] == ["already applied"]
    assert api.apply(project) == ()
    later = datetime.now(UTC) + timedelta(hours=1)
    assert [each.status for each in api.undo(project, since=later)] == ["nothing to do"]
    (undone,) = api.undo(project, result.run.id[:8])
    assert (undone.status, undone.run.undoes) == ("applied", result.run.id)
    assert sqlite_database.dump() == before
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""


def test_errors_have_the_codes_of_the_commands(
    project: api.Project, sqlite_database: Database, tmp_path: Path, new_database
) -> None:
    with pytest.raises(api.MigsyncError) as raised:
        api.survey(project, databases=["nosuch"])
    assert raised.value.code == "unknown-alias"
    with pytest.raises(api.MigsyncError) as raised:
        api.apply(project, api.plan(project), request=api.PlanRequest(accept=True))
    assert raised.value.code == "usage"
    with pytest.raises(api.MigsyncError) as raised:
        api.undo(project, "")  # not the last run
    assert raised.value.code == "unknown-run"
    other = record(new_database("sqlite"), ("0001_initial", "0009_unknown", "0002_price"))
    other.execute("DELETE FROM django_migrations WHERE name = '0001_initial'")
    entries = {"default": Entry(sqlite_database.url), "gone": Entry("sqlite:////nosuch/x"), "odd": Entry(other.url)}
    Project(tmp_path).configure(entries)
    project = api.find_project(root=tmp_path)
    assert {each.alias: each.state for each in api.survey(project).databases} == {
        "default": "changes", "gone": "error", "odd": "blocked",
    }  # fmt: skip
    with pytest.raises(api.MigsyncError) as raised:
        api.plan(project)
    assert raised.value.code == "unreachable"
    with pytest.raises(api.NotAllDone) as failed:
        api.apply(project, rollout=api.Rollout(jobs=2))
    assert failed.value.code == "partly-done"
    assert failed.value.exit_status == 5
    codes = {each.alias: each.error.code if each.error else "" for each in failed.value.results}
    assert codes == {"default": "", "gone": "unreachable", "odd": "blocked"}
    assert names(sqlite_database) == NEW


def test_the_code_of_its_page_runs(project: api.Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "all"]):
        subprocess.run(["git", "-c", "user.name=me", "-c", "user.email=me@x", *words], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    known: dict[str, object] = {}
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 7
    for block in blocks:
        exec(block, known)
    assert known["undone"].status == "applied"
    assert known["wrong"] == []


@pytest.mark.pure
def test_its_page_has_every_function_and_every_parameter() -> None:
    rows = dict(re.findall(r"^\| (`.+?) \| (.+?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    for name in api.__all__:
        each = getattr(api, name)
        assert each.__doc__, name
        if not isinstance(each, type) and name not in ("save_plans", "load_plans"):
            assert re.findall(r"`(\w+)`", rows[f"`{name}()`"]) == list(signature(each).parameters)
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"`{each.name}`" in text for each in fields(api.ProjectReport) if each.name != "project")
