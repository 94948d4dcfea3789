"""What looks like a secret is found; what only names one is not."""

from __future__ import annotations

from typing import Any

import pytest

from sopor.formats import read
from sopor.model.document import Document, DocumentId
from sopor.model.secrets_guard import find_secrets
from tests.support.corpus import corpus_files

# Written apart, so that nothing here looks like a secret to tools that read sources.
GITHUB = "ghp" + "_" + "a1B2" * 9
JWT = "ey" + "JhbGciOiJIUzI1NiJ9.ey" + "JzdWIiOiIxMjM0NTY3ODkwIn0." + "dozjgNryP4J3jVmNHl0w5N"
KEY = "-----BEGIN " + "PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----\n"


def made(kind: str = "request", **fields: Any) -> Document:
    body = {"_id": "x_1", "_type": kind, "name": "X", **fields}
    return Document(DocumentId("x_1"), kind, body)


def kinds(document: Document) -> list[str]:
    return [f"{found.place}: {found.kind}" for found in find_secrets([document])]


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"headers": [{"name": "X", "value": GITHUB}]}, "headers[0].value: a GitHub token"),
        ({"url": f"/?a={GITHUB}&b=1"}, "url: a GitHub token"),
        ({"description": f"use {GITHUB}"}, "description: a GitHub token"),
        ({"body": {"text": JWT}}, "body.text: a JSON web token"),
        ({"data": {"cert": {"key": KEY}}}, "data.cert.key: a private key"),
        ({"data": {"a": "AK" + "IAIOSFODNN7EXAMPL3"}}, "data.a: an AWS access key"),
        ({"data": {"a": "AI" + "za" + "b" * 35}}, "data.a: a Google API key"),
        ({"data": {"a": "sk_" + "live_" + "c3" * 12}}, "data.a: a Stripe key"),
        (
            {"headers": [{"name": "Authorization", "value": "Bearer 8f14e45fceea167a5a36"}]},
            "headers[0].value: a bearer token",
        ),
        (
            {"headers": [{"name": "Authorization", "value": "Basic YWRhOmxvdmVsYWNl"}]},
            "headers[0].value: a basic login",
        ),
        ({"url": "https://ada:lovelace1@host/"}, "url: a password in an address"),
        ({"data": {"password": "hunter2!"}}, "data.password: a password"),
        ({"data": {"db": {"userPassword": "123456"}}}, "data.db.userPassword: a password"),
        ({"authentication": {"token": "8f14e45f"}}, "authentication.token: a value of token"),
        ({"data": {"clientSecret": "zx81-48k"}}, "data.clientSecret: a value of clientSecret"),
        ({"data": {"API_KEY": "f00ba7c41d"}}, "data.API_KEY: a value of API_KEY"),
        (
            {"headers": [{"name": "x-api-key", "value": "f00ba7c41d"}]},
            "headers[0].value: a value of x-api-key",
        ),
    ],
)
def test_secrets_are_found_with_their_place(fields: dict[str, Any], found: str) -> None:
    document = made(**fields)
    assert kinds(document) == [found]


@pytest.mark.parametrize(
    "fields",
    [
        {"authentication": {"token": "{{ _.token }}", "password": "{{password}}"}},
        {"headers": [{"name": "Authorization", "value": "Bearer {{ _.token }}"}]},
        {"headers": [{"name": "Authorization", "value": "Bearer <your token here>"}]},
        {"data": {"password": "", "token": None, "apiKey": "apiKey", "secret": "changeme"}},
        {"data": {"password": "********", "api_key": "YOUR_API_KEY", "token": "string"}},
        {"data": {"tokenUrl": "https://host/oauth/token", "passwordHint": "the dog's name"}},
        {"data": {"token": "three words here", "accessTokenUrl": "https://host"}},
        {"description": "Send the password in the field password: it is required."},
        {"contents": "components:\n  schemas:\n    password: correcthorse1\n"},
        {"url": "https://{{ _.user }}:{{ _.password }}@host"},
        {"data": {"a": "AKIAIOSFODNN7EXAMPLE"}},
        {"metaSortKey": -1571839342, "settingEncodeUrl": True, "name": "token", "url": "/token"},
    ],
)
def test_what_only_names_a_secret_is_none(fields: dict[str, Any]) -> None:
    assert kinds(made(**fields)) == []


def test_a_value_is_told_once_and_never_shown() -> None:
    first, second = made(url=f"/{GITHUB}"), made(body={"text": GITHUB}, data={"a": "b"})
    (finding,) = find_secrets([first, second])
    assert finding.place == "url"
    assert GITHUB not in repr(finding)
    assert GITHUB[4:12] not in repr(finding)
    (again,) = find_secrets([second])
    assert again.fingerprint == finding.fingerprint


def test_real_files_give_few_alarms() -> None:
    """Each of the three is a fixed credential that somebody committed, though a harmless one."""
    found = {}
    count = 0
    for path in corpus_files():
        content = read(path.read_bytes(), path.name)
        assert content is not None
        count += len(content.documents)
        for finding in find_secrets(content.documents):
            found[finding.fingerprint] = (finding.type, finding.place)
    print(f"{count} documents of real files: {len(found)} values look like secrets")
    assert count > 3000
    assert sorted(found.values()) == [
        ("environment", "data.auth_token"),
        ("environment", "data.userPassword"),
        ("websocket_request", "authentication.token"),
    ]
