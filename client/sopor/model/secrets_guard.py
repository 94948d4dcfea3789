"""Finds what looks like a secret in documents; pure, and silent about the secret itself.

It knows the shapes of common credentials (private key blocks, tokens of well-known services, JSON
web tokens), and which fields of Insomnia's resources hold passwords and tokens. What only names a
secret is none: a template such as ``{{ _.token }}``, a placeholder, an example of documentation.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import sha256

from sopor.model.document import Document, DocumentId, Json
from sopor.records import dataclass

Way = tuple[str | int, ...]

_SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("a private key", re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----\s*[A-Za-z0-9+/=:]")),
    ("an AWS access key", re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")),
    ("a Google API key", re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b")),
    ("a Google OAuth token", re.compile(r"\bya29\.[0-9A-Za-z_-]{20,}")),
    ("a GitHub token", re.compile(r"\b(?:gh[pousr]_[0-9A-Za-z]{36,}|github_pat_\w{22,})\b")),
    ("a GitLab token", re.compile(r"\bglpat-[0-9A-Za-z_-]{20,}")),
    ("a Slack token", re.compile(r"\bxox[abeoprs]-[0-9A-Za-z-]{10,}")),
    ("a Stripe key", re.compile(r"\b[rs]k_live_[0-9A-Za-z]{16,}")),
    ("an npm token", re.compile(r"\bnpm_[0-9A-Za-z]{36}\b")),
    ("a SendGrid key", re.compile(r"\bSG\.[\w-]{16,}\.[\w-]{32,}")),
    ("an API key", re.compile(r"\bsk-(?:[a-z]+-)*[0-9A-Za-z_-]{32,}")),
    ("a JSON web token", re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}")),
    ("a bearer token", re.compile(r"^\s*[Bb]earer\s+([\w.~+/-]{16,}=*)\s*$")),
    ("a basic login", re.compile(r"^\s*[Bb]asic\s+([A-Za-z0-9+/]{8,}={0,2})\s*$")),
    ("a password in an address", re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@{}]+:([^\s/@{}]{6,})@")),
)
_NAMES = re.compile(
    r"pass(?:word|wd|phrase)$|^pwd$|secret(?:[_-]?key)?$|private[_-]?key$"
    r"|api[_-]?key$|(?:access|auth|refresh|bearer|id|session)[_-]?token$|^token$",
    re.IGNORECASE,
)
_WORDS = re.compile(r"[a-z0-9]+(?=[A-Z])|[A-Z]?[a-z0-9]+|[A-Z]+")
_PLACEHOLDER = re.compile(
    r"\{\{|\{%|\$\{|^<.*>$|^\*+$|^x+$|^\.+$|example|changeme|change[_-]me|placeholder|dummy"
    r"|^your[_ -]|^my[_-]|^(?:test|demo|sample)[_-]?"
    r"|^(?:string|secret|password|token|none|null|todo)$",
    re.IGNORECASE,
)
_LITERALS = (
    *("PRIVATE KEY-", "AKIA", "ASIA", "AIza", "ya29.", "ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
    *("github_pat_", "glpat-", "xox", "k_live_", "npm_", "SG.", "sk-", "eyJ", "earer ", "asic "),
    "@",
)
"""Each shape has one of them; looking for them first is ten times faster."""
_PROSE = frozenset({"contents", "description", "protoText", "code"})
_SHORTEST = 6
_LONG = 16
_LEAST_BITS = 2.5


@dataclass(frozen=True, slots=True)
class Finding:
    """What looks like a secret: where it is and what it seems to be, never what it says.

    Attributes:
        document: the document's id.
        type: its type.
        name: its name, for a person.
        way: the keys and positions that lead to it.
        kind: what it seems to be, such as ``a bearer token``.
        fingerprint: the start of the SHA-256 of the value: the same value has the same one.
    """

    document: DocumentId
    type: str
    name: str
    way: Way
    kind: str
    fingerprint: str

    @property
    def place(self) -> str:
        """The way as text: ``headers[0].value``."""
        text = ""
        for step in self.way:
            text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
        return text


def find_secrets(documents: Iterable[Document]) -> tuple[Finding, ...]:
    """Returns what looks like a secret in documents, each value once, in their order."""
    found: dict[str, Finding] = {}
    for document in documents:
        name = document.body.get("name")
        for way, text, key in _texts(document.body, (), ""):
            match = _match(text, key, way)
            if match is None:
                continue
            kind, secret = match
            mark = sha256(secret.encode(errors="surrogatepass")).hexdigest()[:16]
            shown = name if isinstance(name, str) else document.id
            found.setdefault(mark, Finding(document.id, document.type, shown, way, kind, mark))
    return tuple(found.values())


def _texts(value: Json, way: Way, key: str) -> Iterator[tuple[Way, str, str]]:
    """Yields each text with the way to it and the name that it goes by."""
    stack: list[tuple[Json, Way, str]] = [(value, way, key)]
    while stack:
        at, way, key = stack.pop()
        if isinstance(at, str):
            yield way, at, key
        elif isinstance(at, dict):
            named = at.get("name", at.get("key"))
            for inner in reversed(list(at)):
                goes_by = named if inner == "value" and isinstance(named, str) else inner
                stack.append((at[inner], (*way, inner), goes_by))
        elif isinstance(at, list):
            stack.extend((at[i], (*way, i), key) for i in range(len(at) - 1, -1, -1))


def _match(text: str, key: str, way: Way) -> tuple[str, str] | None:
    """Returns what a text seems to be and the part of it that is secret."""
    if len(text) < _SHORTEST:
        return None
    for kind, shape in _SHAPES if any(literal in text for literal in _LITERALS) else ():
        found = shape.search(text)
        if found:
            secret = found[1] if shape.groups else found[0]
            if not _PLACEHOLDER.search(secret):
                return kind, secret
    if way[0] in _PROSE or not _names_a_secret(key) or not _looks_secret(text, key):
        return None
    return ("a password" if _is_password(key) else f"a value of {key}"), text


@lru_cache(maxsize=4096)
def _names_a_secret(key: str) -> bool:
    return bool(_NAMES.search(key) or _NAMES.search("_".join(_WORDS.findall(key))))


def _is_password(key: str) -> bool:
    return "pass" in key.lower() or "pwd" in key.lower()


def _looks_secret(text: str, key: str) -> bool:
    """Tells whether a text under a telling name is a value rather than a word or a template."""
    stripped = text.strip()
    if len(stripped) < _SHORTEST or any(part.isspace() for part in stripped):
        return False
    if stripped.lower() == key.lower():
        return False
    if not _is_password(key) and len(stripped) < _LONG and stripped.isalpha():
        return False
    return not _PLACEHOLDER.search(stripped) and _bits(stripped) >= _LEAST_BITS


def _bits(text: str) -> float:
    """Returns the entropy of a text's characters, in bits a character."""
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)
