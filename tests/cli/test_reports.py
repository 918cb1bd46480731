"""Reports in the formats of CI services: what their readers need is there, and no name breaks the document."""

from __future__ import annotations

import json
from email.message import Message
from pathlib import Path
from xml.etree import ElementTree

import pytest

from migsync.cli.views import sarif
from migsync.cli.views.reports import (
    FindingReport,
    ReportItem,
    in_repository,
    problem_of_error,
    problems_of,
    render_report,
)
from migsync.errors import Unreachable
from migsync.findings import Severity
from migsync.findings.examination import symbolic_dependency
from migsync.findings.pages import pages
from migsync.key import Key

CART = Key("cart", "0001_initial")
FILE = "shop files/migrations/0002_b.py"
HOSTILE = "a\x1b[31m<b>&\"'\x00\udc80\u202e\n]]>"
PROBLEMS = (
    ReportItem("open-position", Severity.ERROR, "Found.", "Meaning.", "Hint.", FILE, 7, subject="shop.0002_b"),
    ReportItem("not-in-git", Severity.WARNING, "Found.", file="/srv/else where/0001.py", subject="shop"),
    ReportItem("sequence-behind", Severity.ERROR, "Found.", database="default"),
    ReportItem("symbolic-dependency", Severity.INFO, "One.", database="default", subject="cart.0001_initial"),
    ReportItem("symbolic-dependency", Severity.INFO, "Two.", database="default", subject="cart.0001_initial"),
    ReportItem("unreachable", Severity.ERROR, "No answer.", database="replica", failure=True),
)
REPORT = FindingReport("doctor", PROBLEMS, ("default", "spare"), "3 errors.", "manage.py")


def run_of(report: FindingReport) -> dict:
    document = json.loads(render_report(report, "sarif"))
    assert document["version"] == "2.1.0"
    [run] = document["runs"]
    return run


def test_sarif_names_rules_and_places() -> None:
    run = run_of(REPORT)
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == sorted({problem.code for problem in PROBLEMS})
    for rule in rules:
        page = pages()[rule["id"]]
        assert rule["shortDescription"]["text"] == page.title
        assert rule["help"]["text"].startswith(page.title)
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")
    for result, problem in zip(run["results"], PROBLEMS, strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == problem.code
        assert problem.found in result["message"]["text"]
    levels = [result["level"] for result in run["results"]]
    assert levels == ["error", "warning", "error", "note", "note", "error"]
    assert run["invocations"] == [{"executionSuccessful": False}]
    assert len({result["partialFingerprints"]["migsync/v1"] for result in run["results"]}) == len(PROBLEMS)


def test_sarif_places_are_uris() -> None:
    places = [result["locations"][0]["physicalLocation"] for result in run_of(REPORT)["results"]]
    assert places[0] == {
        "artifactLocation": {"uri": "shop%20files/migrations/0002_b.py", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 7},
    }
    assert places[1]["artifactLocation"] == {"uri": "file:///srv/else%20where/0001.py"}
    assert places[2]["artifactLocation"]["uri"] == "manage.py"  # GitHub refuses a result without a file
    logical = [result["locations"][0].get("logicalLocations") for result in run_of(REPORT)["results"]]
    assert logical[2] == [{"fullyQualifiedName": "default", "kind": "resource"}]
    assert logical[3][0]["fullyQualifiedName"] == "default/cart.0001_initial"


def test_sarif_links_to_the_documentation_that_the_package_names(monkeypatch: pytest.MonkeyPatch) -> None:
    named = Message()
    named["Project-URL"] = "Documentation, https://docs.example.org/"
    monkeypatch.setattr(sarif, "metadata", lambda _: named)
    [rule, *_] = run_of(REPORT)["tool"]["driver"]["rules"]
    assert rule["helpUri"] == f"https://docs.example.org/reference/findings/{rule['id']}.html"


def test_a_fingerprint_lasts_while_the_problem_lasts() -> None:
    def fingerprint(found: str, line: int) -> str:
        problem = ReportItem("open-position", Severity.ERROR, found, file=FILE, line=line, subject="shop.0002_b")
        return run_of(FindingReport("doctor", (problem,)))["results"][0]["partialFingerprints"]["migsync/v1"]

    assert fingerprint("One.", 1) == fingerprint("Two.", 9)


def test_junit_has_a_suite_for_the_files_and_for_each_database() -> None:
    root = ElementTree.fromstring(render_report(REPORT, "junit"))
    assert {name: root.get(name) for name in ("tests", "failures", "errors")} == {
        "tests": "7",
        "failures": "2",
        "errors": "1",
    }
    suites = {suite.get("name"): suite for suite in root}
    assert [*suites] == [f"migsync.doctor.{place}" for place in ("files", "default", "spare", "replica")]
    cases = {
        name: [(case.get("name"), next((each.tag for each in case), "passed")) for case in suite]
        for name, suite in suites.items()
    }
    assert cases["migsync.doctor.files"] == [("open-position shop.0002_b", "failure"), ("not-in-git shop", "skipped")]
    assert cases["migsync.doctor.default"] == [
        ("sequence-behind", "failure"),
        ("symbolic-dependency cart.0001_initial", "skipped"),
        ("symbolic-dependency cart.0001_initial (2)", "skipped"),
    ]
    assert cases["migsync.doctor.spare"] == [("no problems", "passed")]
    assert cases["migsync.doctor.replica"] == [("unreachable", "error")]
    for suite in root:
        assert all(case.get("classname") == suite.get("name") for case in suite)
        counted = {name: suite.get(name) for name in ("failures", "skipped", "errors", "tests")}
        tags = [tag for _, tag in cases[suite.get("name") or ""]]
        assert counted == {
            "failures": str(tags.count("failure")),
            "skipped": str(tags.count("skipped")),
            "errors": str(tags.count("error")),
            "tests": str(len(tags)),
        }
    [failure] = suites["migsync.doctor.files"].iter("failure")
    assert failure.text == f"{FILE}:7\nFound.\nMeaning.\nHint."


@pytest.mark.parametrize(("fails", "failures"), [(Severity.ERROR, 2), (Severity.WARNING, 3), (None, 0)])
def test_what_fails_the_command_fails_the_test(fails: Severity | None, failures: int) -> None:
    report = FindingReport("doctor", PROBLEMS, fails=fails)
    root = ElementTree.fromstring(render_report(report, "junit"))
    assert (root.get("failures"), root.get("errors")) == (str(failures), "1")


@pytest.mark.parametrize("form", ["sarif", "junit", "github"])
def test_no_name_breaks_a_report(form: str) -> None:
    problem = ReportItem("a-code", Severity.ERROR, HOSTILE, HOSTILE, HOSTILE, HOSTILE, 1, HOSTILE, HOSTILE)
    text = render_report(FindingReport("doctor", (problem,), (HOSTILE,)), form)
    assert all(line.isprintable() for line in text.split("\n"))
    if form == "sarif":
        assert json.loads(text)["runs"][0]["results"][0]["message"]["text"].endswith(HOSTILE)
    if form == "junit":
        assert ElementTree.fromstring(text).get("failures") == "1"


def test_findings_and_errors_become_problems(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    relative = in_repository(tmp_path)
    file = str(tmp_path / "shop" / "0001.py")
    found = symbolic_dependency(migration=CART, other="shop.__latest__")
    [problem] = problems_of([found], relative, "default")
    assert (problem.subject, problem.other, problem.database) == ("cart.0001_initial", "shop.__latest__", "default")
    assert (relative(file), relative("/elsewhere/0001.py"), relative("")) == ("shop/0001.py", "/elsewhere/0001.py", "")
    error = problem_of_error(Unreachable("No answer."), "replica")
    assert (error.code, error.failure, error.database) == ("unreachable", True, "replica")
