"""The report: short, with what was proven, and nothing in it that a name could break."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

from migsync.files.proposal import FileChange, Proposal
from migsync.findings import Finding, Severity
from migsync.history import Key, build_history
from migsync.history.migration import Migration
from migsync.proof.fact import Fact
from migsync.refactor.pipeline import Draft
from migsync.refactor.report import as_html, as_markdown, make_report
from tests.proof.projects import rewrite

OLD = ("0001_initial", "0002_a", "0003_b")
NEW = ("0001_initial", "0002_<script>alert(1)</script>|*b*")
NOTE = "shop.0003_b: `RunPython(fill)` is carried over."
WARNING = Finding("reference", Severity.WARNING, "/root/site/shop/tests.py:3 names <b>0002_a</b>.")


def history(*names: str):
    return build_history(Migration(Key("shop", name)) for name in names)


def draft(*findings: Finding) -> Draft:
    files = (FileChange(Path("/root/site/shop/migrations/0002_a.py"), None, b"", None, 0o644),)
    collapsed = (((OLD[1:]), (NEW[1],)),)
    made = rewrite("shop", OLD, NEW, collapsed=collapsed)
    proposal = Proposal("squash shop 0002 0003", files, made, notes=(NOTE,))
    facts = (Fact("same schema", "Schema: the same on SQLite."),)
    return Draft(proposal, history(*NEW), facts=facts, findings=findings)


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        assert not {name for name, _ in attrs} & {"src", "href"}

    def handle_data(self, data):
        self.text.append(data)


def test_markdown_and_html_say_the_same_and_no_name_is_markup():
    report = make_report(draft(WARNING), history(*OLD), Path("/root/site"))
    markdown, page = as_markdown(report), as_html(report)
    assert markdown.splitlines()[:3] == [
        "## migsync squash shop 0002 0003",
        "",
        "0 files created, 1 removed, 0 changed or moved.",
    ]
    assert "| shop | 3 | 2 |" in markdown
    assert "- Schema: the same on SQLite.\n" in markdown
    assert "- shop.0003_b: `RunPython(fill)` is carried over.\n" in markdown
    assert r"became 0002\_\<script\>alert(1)\</script\>\|\*b\*." in markdown
    assert r"- Warning: shop/tests.py:3 names \<b\>0002_a\</b\>." in markdown
    tags = Tags()
    tags.feed(page)
    assert {"script", "b"} & set(tags.seen) == set()
    said = "".join(tags.text)
    for text in (
        "RunPython(fill)",
        NEW[1],
        "Schema: the same on SQLite.",
        "names <b>0002_a</b>",
        "git add -A\nmigsync apply",
    ):
        assert text in said


def test_what_is_refused_says_so_and_offers_no_next_step():
    error = Finding("schema-differs", Severity.ERROR, "The index x is lost.")
    report = make_report(draft(WARNING, error), history(*OLD), Path("/root/site"))
    assert report.verdict.startswith("Refused")
    assert [section.heading for section in report.sections][-1] == "Findings"
    assert report.sections[-1].lines[0].startswith("Error: The index x")


def test_diffs_are_folded_and_no_more_of_them_than_of_other_lines():
    diffs = [(f"shop/{number}.py", ("--- a/<b>", "+++ b", "+two")) for number in range(45)]
    report = make_report(draft(), history(*OLD), Path("/root/site"), diffs)
    page = as_html(report)
    assert "<details><summary>shop/0.py</summary><pre>--- a/&lt;b&gt;\n+++ b\n+two</pre></details>" in page
    assert page.count("<details>") == 40
    assert "<li>shop/44.py</li>" in page
    assert "--- a/" not in as_markdown(report)
