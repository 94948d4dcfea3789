"""A story of two devices in which every text that a person writes comes from `Words`.

Whoever plays it twice with other words of the same lengths gets, on the server, the same story.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from string import ascii_lowercase

from sopor.repository import Repository
from sopor.repository.presence import Teller
from tests.support.world import Device, v4_export

STEPS = 8
"""How many entries of the story bring a pack; `fillers` has a number for each."""


@dataclass(frozen=True)
class Words:
    """What the people of the story write; every text is a word that is nowhere else."""

    project: str
    author: str
    message: str
    branch: str
    second_branch: str
    file: str
    folder: str
    workspace: str
    request: str
    renamed: str
    url: str
    parameter: str
    header: str
    header_value: str
    body: str
    description: str
    script: str
    environment: str
    variable: str
    variable_value: str
    token: str
    specification: str
    test: str
    document_id: str
    unknown_field: str
    unknown_value: str
    private: str
    private_value: str
    cookie: str

    @classmethod
    def drawn(cls, seed: int) -> Words:
        """Draws words; those of one field have the same length for every seed."""
        drawn = random.Random(seed)
        return cls(*("".join(drawn.choices(ascii_lowercase, k=18)) for _ in fields(cls)))

    def texts(self) -> dict[str, str]:
        """Returns all words by what they are for."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


@dataclass
class Story:
    """The story on two devices; `play` tells it."""

    laptop: Device
    desktop: Device
    words: Words
    fillers: Sequence[int] = (0,) * STEPS
    seed: int = 0
    _said: int = 0

    def play(self) -> tuple[Repository, Repository]:
        """Commits, pushes, clones, branches, tells so, merges, reverts; returns both copies."""
        words = self.words
        first = self.laptop.start(words.project, self._files())
        first.config_set("user.name", words.author)
        start = first.commit(self._message()).commit.id
        first.push()
        second = self.desktop.clone(words.project)
        second.config_set("user.name", words.author)
        first.switch(words.branch, create=True)
        Teller(first.context).tell(words.branch)
        self._edit(first, name=words.renamed)
        first.commit(self._message())
        first.push()
        self._edit(second, description=words.description[::-1])
        second.commit(self._message())
        second.push()
        first.switch("main")
        first.pull()
        first.merge(words.branch, f"{words.branch} {self._message()}")
        first.push()
        second.pull()
        wrong = second.revert("HEAD^2", self._message()).commit
        assert wrong is not None
        second.push()
        first.pull()
        first.revert_to(start.hex(), self._message())
        first.push()
        first.delete_remote_branch(words.branch)
        first.rename_branch(words.branch, words.second_branch)
        first.push(words.second_branch)
        second.pull()
        self._edit(first, method="DELETE")
        first.commit(self._message())
        self._edit(second, url=f"https://{words.url}.example/{words.parameter}")
        second.commit(self._message())
        first.sync()
        second.sync()
        first.sync()
        return first, second

    def _message(self) -> str:
        drawn = random.Random(f"{self.seed} {self._said}")
        filler = "".join(drawn.choices(ascii_lowercase, k=self.fillers[self._said]))
        self._said += 1
        return f"{self.words.message} {filler}"

    def _edit(self, repository: Repository, **changes: object) -> None:
        path = repository.root / self.words.folder / f"{self.words.file}.json"
        export = json.loads(path.read_bytes())
        for resource in export["resources"]:
            if resource["_type"] == "request":
                resource.update(changes)
        path.write_text(json.dumps(export, indent=2))

    def _files(self) -> Mapping[str, bytes]:
        words = self.words
        data = v4_export(*_shared(words), *_local(words))
        return {f"{words.folder}/{words.file}.json": data}


def _shared(words: Words) -> list[dict[str, object]]:
    return [
        {
            "_id": "wrk_1",
            "_type": "workspace",
            "parentId": None,
            "name": words.workspace,
            "scope": "design",
        },
        {
            "_id": f"req_{words.document_id}",
            "_type": "request",
            "parentId": "wrk_1",
            "name": words.request,
            "description": words.description,
            "method": "POST",
            "url": f"https://{words.url}.example/path?{words.parameter}=1",
            "parameters": [{"name": words.parameter, "value": words.parameter}],
            "headers": [{"name": words.header, "value": words.header_value}],
            "body": {"mimeType": "text/plain", "text": f"{words.body} " * 40},
            "preRequestScript": f"console.log('{words.script}')",
            "authentication": {"type": "bearer", "token": words.token},
            words.unknown_field: {"deep": [words.unknown_value]},
        },
        {
            "_id": "env_1",
            "_type": "environment",
            "parentId": "wrk_1",
            "name": words.environment,
            "data": {words.variable: words.variable_value},
        },
        {
            "_id": "spc_1",
            "_type": "api_spec",
            "parentId": "wrk_1",
            "contentType": "yaml",
            "contents": f"openapi: 3.0.0\ninfo:\n  title: {words.specification}\n",
        },
        {"_id": "uts_1", "_type": "unit_test_suite", "parentId": "wrk_1", "name": words.test},
    ]


def _local(words: Words) -> list[dict[str, object]]:
    return [
        {
            "_id": "env_2",
            "_type": "environment",
            "parentId": "env_1",
            "isPrivate": True,
            "name": words.private,
            "data": {words.private: words.private_value},
        },
        {
            "_id": "jar_1",
            "_type": "cookie_jar",
            "parentId": "wrk_1",
            "name": words.cookie,
            "cookies": [{"key": words.cookie, "value": words.cookie}],
        },
    ]
