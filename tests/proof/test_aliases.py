"""A migration that asks for another alias sees what its own transaction did, and nothing waits for ever."""

from __future__ import annotations

import pytest

from tests.proof.projects import ITEM, migration
from tests.proof.test_schema import differences, site_on

ROUTER = """
class Router:
    def db_for_read(self, model, **hints):
        return "replica"

DATABASE_ROUTERS = ["config.Router"]
"""
HEAD = """\
    import threading
    from django.db import connections, transaction

    def read(apps, editor):
        with connections["replica"].cursor() as cursor:
            if editor.connection.vendor == "postgresql":
                cursor.execute("SET lock_timeout = '1s'")
        Item = apps.get_model("shop", "item")
        Item.objects.using("default").create()
        with transaction.atomic("replica", durable=True):
            assert Item.objects.get().pk == Item.objects.using("replica").get().pk
        connections["replica"].close()
        connections.close_all()
        assert Item.objects.get()._state.db == "replica"

    def wait(apps, editor):
        failed = []
        editor.execute("SELECT pg_advisory_lock(1)")
        thread = threading.Thread(target=wait_elsewhere, args=(apps, failed))
        thread.start()
        thread.join()
        raise failed[0]

    def wait_elsewhere(apps, failed):
        try:
            with connections["replica"].cursor() as cursor:
                cursor.execute("SHOW lock_timeout")
                assert cursor.fetchone() == ("30s",)
                cursor.execute("SET lock_timeout = '100ms'")
                cursor.execute("SELECT pg_advisory_lock(1)")
        except Exception as error:
            failed.append(error)
    """


def running(function: str) -> str:
    stock = "migrations.AddField('item', 'stock', models.IntegerField(default=0))"
    return migration(ITEM, stock, f"migrations.RunPython({function})", head=HEAD)


@pytest.fixture
def site(tmp_path, database):
    return routed(tmp_path, database)


def routed(root, database):
    site = site_on(root, database)
    with (root / "config.py").open("a") as settings:
        settings.write(ROUTER)
    return site


def test_another_alias_is_the_same_connection(site):
    assert differences(site, running("read"), running("read") + "\n") == []


def test_another_connection_does_not_wait_for_long(tmp_path, postgresql_database):
    [found] = differences(routed(tmp_path, postgresql_database), running("wait"), running("wait"))
    assert found == (
        "The current files cannot build a database. `migrate` waits on the scratch database for a lock that it holds "
        "itself, over another connection, in shop.0001_initial (operation 3): django.db.utils.OperationalError: "
        "canceling statement due to lock timeout"
    )
