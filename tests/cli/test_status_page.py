"""``migsync status`` as a web page and as metrics."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from migsync.cli.views.openmetrics import openmetrics_text
from migsync.cli.views.status_page import RUNS, status_page
from migsync.cli.views.status_reports import StateGroup, StatusReport
from migsync.findings.databases import same_database
from migsync.sync.run import Run, RunKind
from tests.graph.browser import CHROMIUM, Browser, running_browser

NOW = datetime.datetime(2026, 11, 30, 14, 0, tzinfo=datetime.UTC)
HOSTILE = '</script><script>bad()</script>"><img src=x onerror=bad()>\u202e\\ \n{{script}}'
SERIES = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\[\\n"])*"(?:,|(?=\})))*)\})? ([0-9]+(?:\.[0-9]+)?)')


def make_report(
    number: int, name: str = "tenants", rewrite: str = "20261130T141923_renumber_shop.toml"
) -> StatusReport:
    aliases = [f"{name}:t{each:05}" for each in range(number)]
    groups = (
        StateGroup(f"{name}:broken", (f"{name}:broken",), "blocked", "blocked", "PostgreSQL", behind=(rewrite,)),
        StateGroup(f"{name}: x", tuple(aliases[10:]), "changes", "needs 4 changes", "PostgreSQL", 4, (rewrite,)),
        StateGroup(f"{name}: y", tuple(aliases[:10]), "in line", "up to date", "PostgreSQL"),
    )
    run = Run("3f9c1a" * 5, 1, RunKind.APPLY, "plan", "2026-11-30T13:00:00.500000Z", f"{name}@host", "0.1")
    return StatusReport(groups, dict.fromkeys(aliases[:10], run), (same_database(alias=name, same="other"),))


class Elements(HTMLParser):
    """Which elements a page has, and the attributes that are not of migsync's own making."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.scripts = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.scripts += tag == "script"
        assert not [name for name, _ in attrs if name.startswith("on")]


@pytest.mark.pure
def test_the_page_holds_names_as_text() -> None:
    found = Elements(status_page(make_report(20, HOSTILE, HOSTILE), HOSTILE, NOW))
    assert found.scripts == 2
    assert not found.tags & {"img", "link", "iframe", "a"}


@pytest.mark.pure
def test_the_page_says_everything_without_its_script() -> None:
    page = status_page(make_report(20), "shop", NOW)
    for words in (
        "<b>10</b> need changes",
        "tenants:broken",
        "renumber_shop",
        "2026-11-30 13:00:00",
        "2026-11-30 14:00:00",
    ):
        assert words in page
    # One group of each, and as many databases behind the rewrite as there are in both.
    assert "<td>11</td>" in page


@pytest.mark.pure
def test_only_the_newest_runs_are_listed() -> None:
    report = make_report(20)
    run = next(iter(report.last_runs.values()))
    many = StatusReport(report.groups, dict.fromkeys(map(str, range(RUNS + 5)), run))
    assert "5 more databases" in status_page(many, "shop", NOW)


def series(text: str) -> dict[tuple[str, ...], float]:
    """The samples, by name and label values; an independent reading of the OpenMetrics grammar."""
    lines = text.splitlines()
    assert text.endswith("\n# EOF\n")
    typed: list[str] = []
    found = {}
    for line in lines[:-1]:
        if line.startswith("# TYPE "):
            typed.append(line.split()[2])
            assert typed.count(typed[-1]) == 1
        elif line.startswith("#"):
            assert line.split()[1] in ("HELP", "UNIT")
            assert line.split()[2] == typed[-1]
        else:
            match = SERIES.fullmatch(line)
            assert match, line
            assert match[1] == typed[-1], "samples stand under their family"
            values = re.findall(r'="((?:[^"\\]|\\.)*)"', match[2] or "")
            key = (match[1], *values)
            assert key not in found
            found[key] = float(match[3])
    return found


@pytest.mark.pure
def test_metrics_are_by_entry() -> None:
    found = series(openmetrics_text(make_report(1000), NOW))
    assert found["migsync_databases", "tenants", "changes"] == 990
    assert found["migsync_databases", "tenants", "in_line"] == 10
    assert found["migsync_databases", "tenants", "error"] == 0
    assert found["migsync_needed_changes", "tenants"] == 3960
    assert found["migsync_databases_behind", "tenants", "20261130T141923_renumber_shop.toml"] == 991
    assert found["migsync_last_run_timestamp_seconds", "tenants"] == NOW.timestamp() - 3599.5
    assert found["migsync_status_timestamp_seconds",] == NOW.timestamp()
    assert len(found) == len(series(openmetrics_text(make_report(30), NOW))) < 20


@pytest.mark.pure
def test_metrics_with_any_names() -> None:
    assert series(openmetrics_text(make_report(20, HOSTILE, HOSTILE), NOW))


in_browser = pytest.mark.skipif(
    os.environ.get("CI", "").lower() == "true" or not CHROMIUM,
    reason="the page is NOT tried in a browser: never in CI, and without chromium (apt-get install chromium)",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as found:
        yield found
        assert found.errors == []


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Callable[[str], Browser]:
    def open_page(page: str) -> Browser:
        path = tmp_path / "status.html"
        path.write_text(page, encoding="utf-8")
        browser.open(path)
        assert browser.errors == []
        assert browser.requests == [path.as_uri()], "nothing else is asked for"
        return browser

    return open_page


def listed(page: Browser) -> list[str]:
    return page.run("[...document.querySelectorAll('#databases tr')].map((row) => row.cells[0].textContent)")


@in_browser
class TestInABrowser:
    def test_search_over_ten_thousand(self, opened: Callable[[str], Browser]) -> None:
        page = opened(status_page(make_report(10_000), "shop", NOW))
        assert len(listed(page)) == 200
        assert page.run("document.getElementById('found').textContent") == "10001 of 10001"
        page.press("/")
        page.write("t0777")
        assert listed(page) == [f"tenants:t0777{last}" for last in range(10)]
        page.press("Escape")
        page.click(".tile[data-state='in line']")
        assert listed(page) == [f"tenants:t0000{last}" for last in range(10)]
        # On paper, all that was found.
        page.press("Escape")
        page.run("dispatchEvent(new Event('beforeprint'))")
        assert len(listed(page)) == 10_001

    def test_names_are_text(self, opened: Callable[[str], Browser]) -> None:
        page = opened(status_page(make_report(20, HOSTILE, HOSTILE), HOSTILE, NOW))
        assert page.run("document.querySelectorAll('img, script').length") == 2
        assert "<img src=x" in listed(page)[0]

    def test_light_and_dark(self, opened: Callable[[str], Browser]) -> None:
        page = opened(status_page(make_report(20), "shop", NOW))
        ground = "getComputedStyle(document.body).backgroundColor"
        before = page.run(ground)
        page.click("#theme")
        assert page.run(ground) != before
