"""Entries that go, and one that becomes several: commas, comments and line breaks of the others stay."""

from __future__ import annotations

import pytest

from migsync.edits import MigrationEdit
from tests.edits.pairs import GONE, RENAMES, C, check_refused, check_transformed

PAIRS = {
    "the only one": ('dependencies = [("shop", "0006_gone")]', "dependencies = []"),
    "the only one, in lines": ('dependencies = [\n    ("shop", "0006_gone"),\n]', "dependencies = []"),
    "the only one, with a comment above": (
        'dependencies = [\n    # the merge\n    ("shop", "0006_gone"),  # it\n]',
        "dependencies = [\n    # the merge\n]",
    ),
    "the first": ('dependencies = [("shop", "0006_gone"), ("blog", "a")]', 'dependencies = [("blog", "a")]'),
    "the last": ('dependencies = [("blog", "a"), ("shop", "0006_gone")]', 'dependencies = [("blog", "a")]'),
    "the last, comma": ('dependencies = [("blog", "a"), ("shop", "0006_gone"),]', 'dependencies = [("blog", "a"),]'),
    "the middle": (
        'dependencies = [("blog", "a"),  ("shop", "0006_gone"), ("blog", "b")]',
        'dependencies = [("blog", "a"),  ("blog", "b")]',
    ),
    "in lines": (
        """
        dependencies = [  # head
            # first
            ("blog", "a"),  # a
            # gone
            ("shop", "0006_gone"),  # this goes with it

            # last
            ("blog", "b")  # b
        ]
        """,
        """
        dependencies = [  # head
            # first
            ("blog", "a"),  # a
            # gone

            # last
            ("blog", "b")  # b
        ]
        """,
    ),
    "first in lines": (
        'dependencies = [\n    ("shop", "0006_gone"),\n    ("blog", "a"),\n]',
        'dependencies = [\n    ("blog", "a"),\n]',
    ),
    "last in lines": (
        'dependencies = [\n    ("blog", "a"),\n    ("shop", "0006_gone")\n]',
        'dependencies = [\n    ("blog", "a")\n]',
    ),
    "hanging": (
        'dependencies = [("shop", "0006_gone"),\n                ("blog", "a")]',
        'dependencies = [("blog", "a")]',
    ),
    "hanging, the last": (
        'dependencies = [("blog", "a"),\n                ("shop", "0006_gone")]',
        'dependencies = [("blog", "a")]',
    ),
    "hanging, the last, with a comment": (
        'dependencies = [("blog", "a"),  # a\n                ("shop", "0006_gone")]',
        'dependencies = [("blog", "a")  # a\n                ]',
    ),
    "tuple": ('dependencies = (("shop", "0006_gone"),)', "dependencies = ()"),
    "tuple of two": ('dependencies = (("shop", "0006_gone"), ("blog", "a"))', 'dependencies = (("blog", "a"),)'),
    "bare tuple": ('dependencies = ("blog", "a"), ("shop", "0006_gone")', 'dependencies = ("blog", "a"),'),
    "bare tuple of one": ('dependencies = ("shop", "0006_gone"),', "dependencies = ()"),
    "set": ('dependencies = {("shop", "0006_gone")}', "dependencies = []"),
    "set of two": ('dependencies = {("shop", "0006_gone"), ("blog", "a")}', 'dependencies = {("blog", "a")}'),
    "concatenated": (
        'dependencies = [("shop", "0006_gone")] + [("blog", "a")]',
        'dependencies = [] + [("blog", "a")]',
    ),
    "starred": (
        'dependencies = [*[("shop", "0006_gone")], ("shop", "0002_b")]',
        'dependencies = [*[], ("shop", "0003_b")]',
    ),
    "everywhere": (
        'dependencies = [("shop", "0006_gone")]\nrun_before = [("shop", "0006_gone")]\nreplaces = [("shop", "0002_b")]',
        'dependencies = []\nrun_before = []\nreplaces = [("shop", "0003_b")]',
    ),
    "several": (
        'dependencies = [("shop", "0005_merge")]',
        'dependencies = [("shop", "0004_x"), ("shop", "0004_y")]',
    ),
    "several in lines": (
        "dependencies = [\n    ('shop', '0005_merge'),  # the merge\n    ('blog', 'a'),\n]",
        "dependencies = [\n    ('shop', '0004_x'),  # the merge\n    ('shop', '0004_y'),\n    ('blog', 'a'),\n]",
    ),
    "several at the end, no comma": (
        "dependencies = [\n    ('blog', 'a'),\n    ('shop', '0005_merge')  # the merge\n]",
        "dependencies = [\n    ('blog', 'a'),\n    ('shop', '0004_x'),  # the merge\n    ('shop', '0004_y')\n]",
    ),
    "several, one there": (
        'dependencies = [("shop", "0005_merge"), ("shop", "0004_x")]',
        'dependencies = [("shop", "0004_y"), ("shop", "0004_x")]',
    ),
    "several, all there": (
        'dependencies = [("shop", "0004_y"), ("shop", "0005_merge"), ("shop", "0004_x")]',
        'dependencies = [("shop", "0004_y"), ("shop", "0004_x")]',
    ),
    "several in a bare tuple": (
        'dependencies = ("shop", "0005_merge"),',
        'dependencies = ("shop", "0004_x"), ("shop", "0004_y"),',
    ),
}


@pytest.mark.parametrize(("before", "after"), PAIRS.values(), ids=PAIRS)
def test_entries(before: str, after: str) -> None:
    check_transformed(before, after)


def test_a_list_that_two_attributes_share() -> None:
    check_transformed(
        "dependencies = BASE\nrun_before = BASE",
        "dependencies = BASE\nrun_before = BASE",
        above='BASE = [("shop", "0006_gone"), ("blog", "a")]',
        above_after='BASE = [("blog", "a")]',
    )
    apart = MigrationEdit("shop", RENAMES.keys, run_before={GONE: (C,)})
    check_refused(
        "dependencies = BASE\nrun_before = BASE",
        'BASE = [("shop", "0006_gone")]',
        text="BASE = [",
        found="several lists share this entry",
        edit=apart,
    )


def test_each_attribute_can_have_its_own_answer() -> None:
    edit = MigrationEdit("shop", {GONE: (C,)}, run_before={GONE: ()}, replaces={GONE: ()})
    check_transformed(
        'replaces = [("shop", "0006_gone")]\nrun_before = [("shop", "0006_gone")]\n'
        'dependencies = [("shop", "0006_gone")]',
        'replaces = []\nrun_before = []\ndependencies = [("shop", "0003_b")]',
        edit,
    )


def test_a_layout_that_would_lose_a_comment_is_refused() -> None:
    check_refused(
        'dependencies = [\n    ("blog", "a")  # a\n    , ("shop", "0006_gone")\n]',
        text="dependencies = [",
        found="layout",
    )
