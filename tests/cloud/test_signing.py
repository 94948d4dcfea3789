"""Signed addresses as on the platform: no key file, IAM signs, and the signatures hold.

What Google checks is rebuilt here from its description of the canonical request
(https://cloud.google.com/storage/docs/authentication/canonical-requests), not with its library.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from tests.support.google import EMAIL, TOKEN, GoogleStandIn, google_stand_in

DIGEST = sha256(b"bytes").hexdigest()
PROGRAM = f"""
import json, sys
from sopor_server.adapters.google.quiet import keep_quiet
keep_quiet()
from sopor_server.adapters.gcs import GcsBlobStore
from sopor_server.ports.errors import StoreUnavailable
blobs = GcsBlobStore.open("my-bucket")
try:
    up = blobs.upload_address("packs/ab/cd", 5, bytes.fromhex("{DIGEST}"))
    down = blobs.download_address("packs/ab/cd")
except StoreUnavailable as error:
    print(json.dumps({{"error": error.message}}))
else:
    found = up and {{"url": up.url, "headers": dict(up.headers), "expires": up.expires}}
    print(json.dumps({{"up": found, "down": down, "repr": repr(up)}}))
"""


@pytest.fixture
def google(tmp_path: Path) -> Iterator[GoogleStandIn]:
    with google_stand_in(tmp_path) as running:
        yield running


def signed(google: GoogleStandIn, **more: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**google.environment, **more},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stderr == ""
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def check(google: GoogleStandIn, method: str, url: str, headers: Mapping[str, str]) -> None:
    """Raises InvalidSignature unless Google would take this request."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    signature = bytes.fromhex(query.pop("X-Goog-Signature"))
    sent = {"host": parts.netloc, **headers}
    assert query["X-Goog-SignedHeaders"] == ";".join(sorted(sent))
    request = "\n".join(
        (
            method,
            parts.path,
            "&".join(f"{k}={quote(v, safe='')}" for k, v in sorted(query.items())),
            *(f"{name}:{sent[name]}" for name in sorted(sent)),
            "",
            query["X-Goog-SignedHeaders"],
            sent.get("x-goog-content-sha256", "UNSIGNED-PAYLOAD"),
        )
    )
    date = query["X-Goog-Date"]
    scope = f"{date[:8]}/auto/storage/goog4_request"
    assert query["X-Goog-Credential"] == f"{EMAIL}/{scope}"
    text = "\n".join(("GOOG4-RSA-SHA256", date, scope, sha256(request.encode()).hexdigest()))
    public = google.key.public_key()
    public.verify(signature, text.encode(), padding.PKCS1v15(), hashes.SHA256())


def test_iam_signs_in_the_name_of_the_account_that_the_platform_names(
    google: GoogleStandIn,
) -> None:
    found = signed(google)
    up, down = found["up"], found["down"]
    assert up["headers"] == {
        "content-type": "application/octet-stream",
        "x-goog-content-length-range": "5,5",
        "x-goog-content-sha256": DIGEST,
        "x-goog-if-generation-match": "0",
    }
    check(google, "PUT", up["url"], up["headers"])
    check(google, "GET", down, {})
    for url in (up["url"], down):
        assert url.startswith("https://storage.googleapis.com/my-bucket/packs/ab/cd?")
        assert TOKEN not in url
    assert "X-Goog-Expires=900" in up["url"]
    assert "X-Goog-Expires=300" in down
    assert up["url"] not in found["repr"]
    assert DIGEST not in found["repr"]
    assert sum(asked.startswith("iam ") for asked in google.asked) == 2
    scopes = [asked for asked in google.asked if "/token" in asked]
    assert len(scopes) == 1
    assert "auth%2Fiam" in scopes[0]


@pytest.mark.parametrize("part", ["method", "path", "length", "hash", "precondition", "age"])
def test_nothing_of_an_address_can_be_changed(google: GoogleStandIn, part: str) -> None:
    up = signed(google)["up"]
    url, headers, method = up["url"], dict(up["headers"]), "PUT"
    if part == "method":
        method = "GET"
    elif part == "path":
        url = url.replace("/cd?", "/ce?")
    elif part == "age":
        url = url.replace("Expires=900", "Expires=901")
    else:
        name = {
            "length": "x-goog-content-length-range",
            "hash": "x-goog-content-sha256",
            "precondition": "x-goog-if-generation-match",
        }[part]
        headers[name] += "1"
    with pytest.raises(InvalidSignature):
        check(google, method, url, headers)


def test_who_may_not_sign_is_told_without_secrets(google: GoogleStandIn) -> None:
    google.status = 403
    error = signed(google)["error"]
    assert "Cloud Storage" in error
    assert TOKEN not in error
    assert EMAIL not in error
    assert "my-project" not in error


def test_an_account_of_a_person_does_not_sign(google: GoogleStandIn, tmp_path: Path) -> None:
    """On a developer's machine: packs go through the server."""
    person = {
        "type": "authorized_user",
        "client_id": "id",
        "client_secret": "secret",
        "refresh_token": "token",
    }
    file = tmp_path / "person.json"
    file.write_text(json.dumps(person), encoding="utf-8")
    found = signed(google, GOOGLE_APPLICATION_CREDENTIALS=str(file))
    assert found == {"up": None, "down": None, "repr": "None"}
