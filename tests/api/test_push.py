"""Pushing over HTTP: what lands, what is refused, who wins."""

import secrets

from sopor_core.push_log import EMPTY_LOG
from tests.support.story import Person


def test_a_push_is_pulled_by_the_other_device(alice: Person) -> None:
    project = alice.new_project()
    pack = secrets.token_bytes(500)
    entry = alice.push(project, packs=[pack])
    laptop = alice.login()
    pulled = laptop.pull(project, EMPTY_LOG)
    assert pulled.entries == [entry]
    assert pulled.packs == [pack]
    assert pulled.control == {
        "head": entry.citation.to_json(),
        "members": project.members.to_json(),
        "more": False,
    }
    assert len(pulled.members) == 2
    assert laptop.ask_pull(project, project.head, members=2).status_code == 204
