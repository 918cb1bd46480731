"""``--workers celery``: tasks on RabbitMQ, three worker processes, and what happens when one of them does not."""

from __future__ import annotations

import json
import signal
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from migsync.sync.plan_file import load_plans
from migsync.sync.plan_request import PlanRequest
from migsync.sync.task_message import ANSWERS, TaskAnswer, TaskMessage
from tests.cli.celery_site import TENANTS, Site, require_broker, until, watched
from tests.cli.entries import Ended
from tests.databases import PostgreSQLDatabases


@pytest.fixture(scope="module")
def running_site(postgresql_databases: PostgreSQLDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    require_broker()
    with (
        postgresql_databases.database() as database,
        Site.running(tmp_path_factory.mktemp("celery"), database) as site,
    ):
        yield site


@pytest.fixture
def site(running_site: Site) -> Site:
    running_site.reset()
    for name in {"w1", "w2", "w3"} - running_site.workers.keys():
        running_site.start(name)
    return running_site


def errors(ended: Ended) -> dict[str, str]:
    """By tenant, the code of its error."""
    found = ended.json["databases"]
    return {each["alias"].partition(":")[2]: each["error"]["code"] for each in found if each["error"]}


def test_a_worker_is_killed_in_the_middle(site: Site) -> None:
    with watched(site, site.name, "topic", site.name) as sent:
        with site.locked(["t05"]) as lock:
            process = site.apply("--lock-timeout", "60", "--jobs", "6")
            [name] = site.busy(1)
            site.kill(name)
            lock.rollback()
        ended = site.ended(process)
        bodies = sent()
    assert ended.status == 0, (ended, site.logs())
    assert site.changed() == set(TENANTS)
    # One message a target, and the target's part of the plan is all that is in it.
    assert sorted(body[0][0]["plan"]["target"]["alias"] for body in bodies) == [f"tenants:{each}" for each in TENANTS]
    text = json.dumps(bodies)
    place = site.database.django
    assert [secret for secret in (place["PASSWORD"], place["HOST"], str(site.root)) if secret and secret in text] == []
    # Undone by workers, too; and once more there is nothing to do.
    ended = site.run("undo", "--workers", "celery", "--noinput", "--jobs", "6")
    assert ended.status == 0, ended
    assert site.changed() == set()


@pytest.mark.parametrize("ends", ["Ctrl-C", "the time is over"])
def test_what_no_worker_has_begun_does_not_run_later(site: Site, ends: str) -> None:
    with watched(site, f"{site.name}.pidbox", "fanout") as told:
        with site.locked() as lock:
            more = [] if ends == "Ctrl-C" else ["--timeout", "6"]
            process = site.apply("--lock-timeout", "60", "--jobs", "12", "--canary", "0", *more)
            begun = site.busy(3)
            if ends == "Ctrl-C":
                process.send_signal(signal.SIGINT)
            until(lambda: any(each["method"] == "revoke" for each in told()), "the workers are told")
            lock.rollback()
        ended = site.ended(process)
    assert begun == ["w1", "w2", "w3"]
    assert ended.status == 5, (ended, site.logs())
    site.idle()
    left = errors(ended)
    assert set(left.values()) == {"interrupted" if ends == "Ctrl-C" else "not-taken"}
    assert site.changed() == set(TENANTS) - left.keys()
    # To resume, it is run again.
    ended = site.ended(site.apply())
    assert ended.status == 0, (ended, site.logs())
    assert site.changed() == set(TENANTS)


def test_workers_with_other_files_refuse(site: Site, tmp_path: Path) -> None:
    root = site.copy(tmp_path / "newer")
    (root / "shop/migrations/0002_price.py").rename(root / "shop/migrations/0002_cost.py")
    assert site.run("rewrite", "--map", "shop.0002_price=0002_cost", root=root).status == 0
    ended = site.ended(site.apply("--max-failures", "2", root=root))
    assert ended.status == 1, (ended, site.logs())
    assert errors(ended) == dict.fromkeys(TENANTS, "not-begun") | {"t01": "other-files"}
    assert "makes another plan for tenants:t01" in ended.out
    assert site.changed() == set()


def answers(site: Site, documents: list[tuple[str, Any]]) -> list[TaskAnswer]:
    """Send these, as (run, document); the last word of a worker about each."""
    from kombu import Consumer, Queue

    name, last = f"{ANSWERS}{uuid.uuid4().hex}", list[TaskAnswer]()

    def take(body: object, _message: object) -> None:
        answer = TaskAnswer.from_dict(body)
        if answer.state != "begun":
            last.append(answer)

    def come() -> bool:
        with suppress(TimeoutError):
            connection.drain_events(timeout=0.05)
        return len(last) == len(documents)

    with site.app.connection_for_read() as connection:
        queue = Queue(name, exclusive=True, auto_delete=True, durable=False)
        with Consumer(connection, [queue], callbacks=[take], accept=["json"], no_ack=True):
            for run, document in documents:
                site.send(document, run, reply_to=name)
            until(come, f"{len(documents)} answers\n{site.logs()}")
    return last


def messages(site: Site, count: int) -> list[TaskMessage]:
    file = site.root / "plan.json"
    assert site.run("plan", "-o", str(file), "-d", "tenants").status == 0
    plans = load_plans(file).plans[:count]
    return [
        TaskMessage.of(uuid.uuid4().hex, plan, PlanRequest(), lock_timeout=30, reason="", author="me@here")
        for plan in plans
    ]


def test_a_message_that_comes_twice_is_carried_out_once(site: Site) -> None:
    [message] = messages(site, 1)
    sent = (message.run, message.as_dict())
    assert {(each.state, each.journaled) for each in answers(site, [sent, sent])} == {("ended", message.run)}
    assert site.changed() == {"t01"}
    # Nor does it come to life again when the run was undone.
    assert site.run("undo", "--noinput", "-d", "tenants:t01").status == 0
    assert [(each.state, each.journaled) for each in answers(site, [sent])] == [("ended", message.run)]
    assert site.changed() == set()
