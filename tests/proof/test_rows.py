"""Rows that no two runs write alike, and those that differ all the same."""

from __future__ import annotations

import pytest

from migsync.proof.scope import ProofScope
from tests.proof.projects import Site, add_field, migration
from tests.proof.test_transition import NAMES, NUMBER, path, prove, shop

TOKEN = add_field("item", "token", "CharField(max_length=40, default='')")
FILL = """\
    import secrets

    def fill(apps, editor):
        apps.get_model("shop", "Item").objects.create(number=1, sku={sku!r}, token={token})
    """


def filling(sku: str, token: str = "secrets.token_hex()[:30]") -> str:
    head = FILL.format(sku=sku, token=token)
    return migration("migrations.RunPython(fill)", after=[("shop", NAMES[2])], head=head)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (filling("a"), ["Of shop_item, two runs of the old files write token differently."]),
        (filling("a", "''"), ["The rows of shop_item: 1 only with the old files (token='", "Of shop_item, two runs"]),
        (filling("b"), ["The rows of shop_item: 1 only with the old files (sku='a', ", "Of shop_item, two runs"]),
    ],
    ids=["a token", "no token", "another"],
)
def test_what_is_another_in_each_run(tmp_path, text, found):
    """pretix makes a first user, whose password is salted."""
    site = Site(tmp_path / "site").settings("shop").app("shop", "", shop())
    site.write({path(NAMES[1]): migration(NUMBER, TOKEN, after=[("shop", NAMES[0])]), path(NAMES[3]): filling("a")})
    outcome = prove(
        site, site.propose(site.change(path(NAMES[3]), path(NAMES[3]), text)), ProofScope((), None, data=True)
    )
    said = [finding.found for finding in outcome.findings]
    assert len(said) == len(found), said
    assert all(words.startswith(start) for words, start in zip(said, found, strict=True)), said
    assert any("same rows" in fact for fact in outcome.facts) == (len(found) == 1)
