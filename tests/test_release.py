"""What must say the version of today, or which formats it reads and writes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from migsync import __version__
from migsync.rewrites.rewrite import FORMAT
from migsync.sync.journal.tables import NEWEST
from migsync.sync.plan_file import FORMAT_VERSION

pytestmark = pytest.mark.pure

ROOT = Path(__file__).parents[1]


def test_the_changelog_has_the_version_below_what_is_not_released():
    sections = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sections[:2] == ["Unreleased", __version__]


def test_the_pages_name_the_version_and_its_formats():
    upgrade = (ROOT / "docs/how-to/upgrade.md").read_text(encoding="utf-8")
    assert f" to {__version__}\n" in upgrade
    assert f"`format = {FORMAT}`" in upgrade
    assert f"({NEWEST})" in upgrade
    assert f"`format_version` {FORMAT_VERSION} " in upgrade
    assert f"migsync=={__version__}]" in (ROOT / "docs/how-to/ci.md").read_text(encoding="utf-8")
