"""What the joining of small packs saves, counted."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import count

import pytest

from sopor_core.push_entry import PushEntry
from sopor_core.push_log import EMPTY_LOG
from sopor_core.wire.parts import PartKind
from sopor_server.auth import Caller
from sopor_server.ports.blobs import pack_key
from sopor_server.service import pull as pulling
from sopor_server.service.context import Context
from sopor_server.service.grouping import DAY, Grouping
from sopor_server.service.pull import Since, pull
from tests.support.counting import CountingBlobs, CountingStore
from tests.support.stored import Household
from tests.support.story import Project, pack_id

PUSHES = 1000
GROUPS, LEFT = divmod(PUSHES, 32)


@pytest.fixture
def grown(context: Context, home: Household, project: Project) -> Project:
    """A project of a thousand small pushes, whose packs are joined."""
    for number in range(PUSHES):
        pack = b"pack %d" % number
        context.blobs.put(pack_key(project.id, pack_id(pack)), pack)
        home.push(project, project.entry(home.keys, project.commit(), packs=[pack]))
    return project


def keep(context: Context, days: float) -> tuple[int, int]:
    now = time.time_ns() // 1_000_000 + int(days * DAY)
    return Grouping(context.store, context.blobs, now, 8).run()


def clone(context: Context, caller: Caller, project: Project) -> tuple[int, int, int]:
    """Pulls all; returns how many packs came, reads of blobs and of metadata beside entries."""
    store, blobs = CountingStore(context.store), CountingBlobs(context.blobs)
    counted = replace(context, store=store.port, blobs=blobs.port)
    place, members, packs = EMPTY_LOG, 0, 0
    for _ in count():
        news = pull(counted, caller, project.id, Since(place, members))
        if news is None:
            break
        members += sum(part.kind is PartKind.MEMBERSHIP_ENTRY for part in news.parts)
        packs += sum(part.kind is PartKind.PACK for part in news.parts)
        *_, last = (part for part in news.parts if part.kind is PartKind.PUSH_ENTRY)
        place = PushEntry.parse(last.data).citation
    return packs, blobs.calls["get"], store.calls["groups"]


def test_a_clone_of_a_thousand_pushes_needs_a_read_for_32(
    context: Context, caller: Caller, grown: Project
) -> None:
    assert clone(context, caller, grown) == (PUSHES, PUSHES, 0)
    assert keep(context, 1.1) == (GROUPS * 32, 0)
    # Eight groups are noted in one answer of the metadata.
    assert clone(context, caller, grown) == (PUSHES, GROUPS + LEFT, 4)
    assert keep(context, 9.2) == (0, GROUPS * 32)
    assert clone(context, caller, grown) == (PUSHES, GROUPS + LEFT, 4)


def test_answers_that_end_inside_a_group_read_no_more_than_they_hold(
    context: Context,
    caller: Caller,
    home: Household,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pulling, "BUDGET", 20_000)
    packs = [b"%03d" % number * 1000 for number in range(32)]
    for pack in packs:
        context.blobs.put(pack_key(project.id, pack_id(pack)), pack)
        home.push(project, project.entry(home.keys, project.commit(), packs=[pack]))
    assert keep(context, 1.1) == (32, 0)
    assert keep(context, 9.2) == (0, 32)
    found, reads, _ = clone(context, caller, project)
    # An answer has room for five of them with their entries.
    assert found == 32
    assert reads == 7
