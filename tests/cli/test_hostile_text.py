"""What files, rows, git and settings say is shown so that no terminal obeys it and no page takes it for markup."""

from __future__ import annotations

import contextlib
import io
import json
import re
import subprocess
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from migsync.cli.program import run
from migsync.cli.signals import terminable
from migsync.escapes import (
    dot_string,
    html_code,
    html_text,
    json_text,
    markdown,
    mermaid_label,
    printable,
    printable_lines,
    sql_comment,
    toml_text,
)
from tests.cli.shop import Shop

CONTROLS = (
    *("\x1b[31m", "\x9b31m", "\x07", "\r", "\x00", "\x7f", "\x85"),
    *("\u202e", "\u2066", "\u2028", "\udc80", "\U000e0001"),
)
MARKUP = (
    "<img src=x onerror=alert(1)>",
    "`` <img src=x onerror=alert(1)>",
    "`<img src=x onerror=alert(1)>```",
    "`a\\` <img src=x onerror=alert(1)>`",
    "``a`<img src=x onerror=alert(1)>`",
    "&lt;img src=x onerror=alert(1)&gt;",
    "</script><script>alert(1)</script>",
    "[a](javascript:alert(1)) ![b](x)",
    "| a | <b>b</b> |",
    '"; click n0 href "javascript:alert(1)',
)
SQL = ("-- \nDROP TABLE x", "*/ DROP TABLE x /*", "\\! rm")
HOSTILE = [f"0002_{text}" for text in (*CONTROLS, *MARKUP, *SQL)]
# Those that a file and a row can be called (a row is not read where a control character is in its name).
NAMES = [name for name in HOSTILE if not re.search("[\x00-\x1f\x7f-\x9f/\ud800-\udfff]", name)]
FILES = [name for name in NAMES if "/" not in name]
MISNAMED = [f"0002_{text}" for text in CONTROLS if re.search("[\x01-\x1f\x7f-\x9f]", text)]


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)

    def handle_data(self, data):
        self.text += data


def visible(text: str) -> bool:
    return text.replace("\n", "").isprintable()


@pytest.mark.parametrize("text", HOSTILE)
def test_each_medium(text: str) -> None:
    assert printable(text).isprintable()
    assert printable_lines(f"{text}\nmore").endswith("\nmore")
    assert visible(printable_lines(text))
    document = json.dumps({"name": text}, indent=2, ensure_ascii=False)
    assert visible(json_text(document))
    assert json.loads(json_text(document)) == {"name": text}
    assert toml_text(json.dumps(text, ensure_ascii=False)).isprintable()
    assert re.fullmatch(r"[ -~]*", sql_comment(text))
    assert re.fullmatch(r'"(?:[^"\\]|\\["\\])*"', dot_string(text))
    assert visible(dot_string(text))
    assert visible(mermaid_label(text))
    assert not set(mermaid_label(text)) & set('"<>`\\')
    assert not Tags(html_text(text)).seen
    assert set(Tags(html_code(text)).seen) <= {"code"}
    assert Tags(html_text(text)).text == printable(text)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("form", ["- {}", "- see `plan` {} and `apply`", "- `{}`", "| a |\n| --- |\n| {} |", "## {}"])
def test_no_name_is_markup_in_markdown(text: str, form: str) -> None:
    page = form.format("\0").replace("\0", markdown(text))
    if form == "- `{}`":  # a sentence with a name in backticks
        page = f"- {markdown(f'`{text}`')}"
    rendered = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(page)
    assert visible(page)
    assert not set(Tags(rendered).seen) & {"img", "script", "b", "a"}, rendered


def test_code_stays_code_in_markdown() -> None:
    assert markdown("run `migsync plan` first") == "run `migsync plan` first"


def said(shop: Shop, *arguments: str) -> str:
    out = io.StringIO()
    with contextlib.chdir(shop.root), contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        run(arguments)
    assert "Traceback" not in out.getvalue(), out.getvalue()
    return out.getvalue()


def assert_harmless(text: str, form: str) -> None:
    assert visible(text), (form, [one for one in text if not one.isprintable() and one != "\n"])
    if form == "json":
        json.loads(text)
    if form == "html":
        assert not set(Tags(text).seen) & {"img", "b"}
    if form == "sql":
        assert all(line.startswith("--") for line in text.splitlines() if "DROP TABLE x" in line and "'" not in line)


@pytest.fixture
def hostile(tmp_path, monkeypatch):
    """A project whose files, and whose database's rows, have the hostile names."""
    monkeypatch.setenv("MIGSYNC_CACHE", str(tmp_path / "cache"))
    shop = Shop(tmp_path).write("default").record("default", ["0001_initial", *NAMES])
    before = '("shop", "0001_initial")'
    for name in FILES:
        path = shop.root / "shop/migrations" / f"{name}.py"
        path.write_text(
            "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
            f"    dependencies = [{before}]\n    operations = []\n"
        )
        before = f'("shop", {name!r})'
    return shop


LOOKING = [
    ("text", "plan"),
    ("json", "plan", "--format", "json"),
    ("sql", "plan", "--format", "sql"),
    ("text", "status"),
    ("json", "status", "--format", "json"),
    ("text", "graph"),
    *((form, "graph", "--format", form) for form in ("json", "mermaid", "dot", "html")),
    ("text", "squash", "--suggest"),
    ("text", "renumber", "--dry-run"),
]


def test_files_and_rows(hostile) -> None:
    for form, *command in LOOKING:
        text = said(hostile, *command)
        assert text or form == "sql"
        assert_harmless(text, form)
    coloured = said(hostile, "plan", "--color", "always")
    assert_harmless(re.sub(r"\x1b\[\d[\d;]*m", "", coloured), "text")


def test_a_file_with_a_control_character_in_its_name(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("MIGSYNC_CACHE", str(tmp_path / "cache"))
    shop = Shop(tmp_path).write("default", names=["0001_initial"])
    for name in (*MISNAMED, "0002_\nError: all is well"):
        path = shop.root / "shop/migrations" / f"{name}.py"
        path.write_bytes((shop.root / "shop/migrations/0001_initial.py").read_bytes())
        text = said(shop, "plan")
        assert_harmless(text, "text")
        assert "the file name contains a control character" in text
        assert "\nError: all" not in text
        path.unlink()


def test_rows_that_no_file_explains(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("MIGSYNC_CACHE", str(tmp_path / "cache"))
    shop = Shop(tmp_path).write("default").record("default", ["0001_initial", *NAMES])
    for form, *command in [*LOOKING[:5], ("text", "apply", "--noinput")]:
        assert_harmless(said(shop, *command), form)
    prune = [word for name in NAMES for word in ("--prune", f"shop.{name}")]
    for form in ("text", "json"):
        text = said(shop, "plan", *prune, "--format", form)
        assert "rm" in text
        assert_harmless(text, form)
    said(shop, "plan", *prune, "-o", "plan.json")
    assert_harmless((shop.root / "plan.json").read_text(), "json")
    said(shop, "apply", "plan.json", "--noinput")
    assert shop.names("default") == ("0001_initial",)
    for form in ("text", "json"):
        assert_harmless(said(shop, "log", "--format", form), form)
        assert_harmless(said(shop, "show", "1", "--format", form), form)
        assert_harmless(said(shop, "undo", "--dry-run", "--format", form), form)


def test_scripts(tmp_path, monkeypatch) -> None:
    """None is made where a person could not see what it does."""
    monkeypatch.setenv("MIGSYNC_CACHE", str(tmp_path / "cache"))
    names = [name for name in NAMES if name.isprintable()]
    shop = Shop(tmp_path).write("default").record("default", ["0001_initial", *names])
    prune = [word for name in names for word in ("--prune", f"shop.{name}")]
    text = said(shop, "plan", *prune, "--format", "sql")
    assert len(re.findall(r"remove row \d+: shop\.", text)) == len(names)
    assert_harmless(text, "sql")


@pytest.mark.parametrize("name", [*CONTROLS, *MARKUP])
def test_one_row_that_cannot_be_read(tmp_path, monkeypatch, name: str) -> None:
    monkeypatch.setenv("MIGSYNC_CACHE", str(tmp_path / "cache"))
    shop = Shop(tmp_path).write("default").record("default", ["0001_initial", name.replace("\udc80", "x")])
    assert_harmless(said(shop, "plan"), "text")
    assert_harmless(said(shop, "plan", "--format", "json"), "json")


@pytest.mark.parametrize("text", HOSTILE)
def test_settings_and_options(tmp_path, monkeypatch, text: str) -> None:
    monkeypatch.setenv("MIGSYNC_CACHE", str(tmp_path / "cache"))
    shop = Shop(tmp_path).write("default")
    shop.settings(f"raise ValueError({text!r})")
    for command in (["plan"], ["plan", "--format", "json"], ["plan", text], ["plan", "--map", text]):
        assert_harmless(said(shop, *command), command[-1])
    shop.settings()
    if "\0" in text:
        return  # no command line can hold it
    for command in (["plan", "-d", text], ["undo", text], ["apply", text], ["plan", "--settings", text]):
        assert_harmless(said(shop, *command), "text")


def test_a_fault_of_migsync(capsys) -> None:
    def fail() -> int:
        raise RuntimeError("\x1b[31m\x9b postgres://u:a@s3cr3tPASS@h/db")

    assert terminable(fail) == 1
    said = capsys.readouterr().err
    assert said.startswith("Traceback")
    assert said.endswith("RuntimeError: \\x1b[31m\\x9b postgres://***\n")


def test_a_branch_and_its_author(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("MIGSYNC_CACHE", str(tmp_path / "cache"))
    shop = Shop(tmp_path).write("default").record("default")
    author = ["-c", "user.name=\x1b[31m\u202ex", "-c", "user.email=a@b", "-c", "init.defaultBranch=a\u202e\x9bb"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "\x1b[31m\x9b\u202e"]):
        subprocess.run(["git", *author, *command], cwd=shop.root, check=True)
    for command in (
        ["plan"],
        ["rebase", "--dry-run"],
        ["rebase", "--onto", "a\u202e\x9bb"],
        ["fix-conflicts", "--dry-run"],
    ):
        assert_harmless(said(shop, *command), "text")
