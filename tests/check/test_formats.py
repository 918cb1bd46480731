"""`check --format` for CI services, and the recipe for GitLab's reports."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from migsync.cli.views.github import annotation
from migsync.cli.views.reports import ReportItem
from migsync.findings.finding import Severity
from tests.check.branch import Branch

ROOT = Path(__file__).parents[2]


def test_an_annotation_points_to_the_file_and_the_line(branch: Branch) -> None:
    branch.rename("0003_sku", "0003_number", "0002_price")
    ended = branch.check(form="github")
    first, last = ended.out.splitlines()
    assert first.startswith(
        "::error file=shop/migrations/0003_number.py,line=1,title=migsync%3A missing-rewrite::shop: "
    )
    assert "%0ATo write the rewrite: migsync check --write%0A" in first
    assert last.startswith("1 error in 1 app")
    assert ended.status == 1


def test_a_file_that_cannot_be_read_is_an_annotation_at_its_line(branch: Branch) -> None:
    (branch.migrations / "0003_sku.py").write_text("class Migration:\n<<<<<<< HEAD\n")
    ended = branch.check(form="github")
    assert ended.out.startswith("::error file=shop/migrations/0003_sku.py,line=2,title=migsync%3A history::")
    assert ended.status == 1


def test_nothing_to_say_is_no_annotation(branch: Branch) -> None:
    assert branch.check(form="github").out.startswith("No migration has changed")


@pytest.mark.parametrize(
    ("text", "shown"),
    [("100 %\nmore", "100 %25%0Amore"), ("a\r::error::b", "a\\r::error::b"), ("\x1b[31mred", "\\x1b[31mred")],
)
def test_no_name_can_end_an_annotation(text: str, shown: str) -> None:
    made = ReportItem("a-code", Severity.WARNING, text)
    assert annotation(made) == f"::warning title=migsync%3A a-code::{shown}"
    assert annotation(replace(made, file="a,b:c%.py")).startswith("::warning file=a%2Cb%3Ac%25.py,line=1,")


def test_sarif_and_junit_point_to_the_file(branch: Branch) -> None:
    branch.rename("0003_sku", "0003_number", "0002_price")
    [run] = branch.check(form="sarif").document["runs"]
    [result] = run["results"]
    place = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert (result["ruleId"], place["uri"]) == ("missing-rewrite", "shop/migrations/0003_number.py")
    ended = branch.check(form="junit")
    assert ended.status == 1
    [failure] = ElementTree.fromstring(ended.out).iter("failure")
    assert failure.get("type") == "missing-rewrite"


@pytest.mark.skipif(not shutil.which("jq"), reason="the recipe needs jq")
def test_the_recipe_for_gitlab_makes_a_code_quality_report(branch: Branch) -> None:
    branch.rename("0003_sku", "0003_number", "0002_price")
    page = (ROOT / "docs" / "how-to" / "ci.md").read_text(encoding="utf-8")
    [program] = re.findall(r"jq '([^']+)' check.json", page)
    done = subprocess.run(["jq", program], input=branch.check().out, capture_output=True, text=True, check=True)
    [issue] = json.loads(done.stdout)
    assert issue["check_name"] == "missing-rewrite"
    assert issue["severity"] == "major"
    assert issue["location"] == {"path": "shop/migrations/0003_number.py", "lines": {"begin": 1}}
    assert issue["fingerprint"]
