"""The primitives of shared/SPEC.md written once more, as plainly as possible.

Everything is deterministic: what production draws at random comes from `fixed` here.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

Vector = dict[str, Any]


def fixed(label: str, size: int = 32) -> bytes:
    """Bytes that look random and are the same every time."""
    return hashlib.shake_256(f"sopor vectors: {label}".encode()).digest(size)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def canonical(value: Any) -> bytes:
    """RFC 8785 for values without fractions and without characters beyond the BMP."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def mac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, "sha256").digest()


def hkdf(ikm: bytes, salt: bytes, info: bytes) -> bytes:
    extracted = mac(salt or bytes(32), ikm)
    return mac(extracted, info + b"\x01")


def u16(number: int) -> bytes:
    return number.to_bytes(2, "big")


def u32(number: int) -> bytes:
    return number.to_bytes(4, "big")


def flipped(data: bytes, at: int = -1, bit: int = 1) -> bytes:
    """The same bytes with one bit changed."""
    changed = bytearray(data)
    changed[at] ^= bit
    return bytes(changed)


def seal(key: bytes, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
    return nonce + AESGCM(key).encrypt(nonce, plaintext, associated)


# ----------------------------------------------------------------------------- project keys, ids


def content_key(project: bytes, first_secret: bytes) -> bytes:
    return hkdf(first_secret, project, b"sopor/1 content id")


def cid(key: bytes, document: bytes) -> bytes:
    return mac(key, b"document\0" + document)


def commit_id(key: bytes, commit: bytes) -> bytes:
    return mac(key, b"commit\0" + commit)


def branch_id(key: bytes, name: str) -> bytes:
    return mac(key, b"branch\0" + name.encode())[:16]


def state_root(key: bytes, state: dict[str, bytes]) -> bytes:
    nodes = []
    for bucket in range(256):
        names = sorted(n.encode() for n in state if sha256(n.encode())[0] == bucket)
        entries = b"".join(u16(len(name)) + name + state[name.decode()] for name in names)
        node = mac(key, b"bucket\0" + bytes([bucket]) + entries) if names else bytes(32)
        nodes.append(node)
    return mac(key, b"state\0" + b"".join(nodes))


def commitment(project: bytes, epoch: int, secret: bytes) -> bytes:
    return hkdf(secret, project, b"sopor/1 commitment\0" + u32(epoch))


# --------------------------------------------------------------------------------- labels, wraps


def label(
    project: bytes,
    epoch: int,
    secret: bytes,
    kind: int,
    subject: bytes,
    plaintext: bytes,
) -> bytes:
    key = hkdf(secret, project, b"sopor/1 label\0" + u32(epoch))
    associated = b"sopor/1 label\0" + bytes([kind]) + project + u32(epoch) + subject
    return seal(key, fixed("label nonce", 12), plaintext, associated)


def label_plaintext(name: bytes) -> bytes:
    start = u16(len(name)) + name
    return start + bytes(-len(start) % 64)


def wrap_info(org: bytes, project: bytes, epoch: int, account: bytes) -> bytes:
    return b"sopor/1 epoch\0" + org + project + u32(epoch) + account


def hpke_seal(recipient: bytes, ephemeral_seed: bytes, info: bytes, plaintext: bytes) -> bytes:
    """RFC 9180 base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM."""
    ephemeral = X25519PrivateKey.from_private_bytes(ephemeral_seed)
    enc = ephemeral.public_key().public_bytes_raw()
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(recipient))
    kem, suite = b"KEM" + u16(0x20), b"HPKE" + u16(0x20) + u16(1) + u16(2)

    def extract(suite_id: bytes, salt: bytes, name: bytes, ikm: bytes) -> bytes:
        return mac(salt or bytes(32), b"HPKE-v1" + suite_id + name + ikm)

    def expand(suite_id: bytes, prk: bytes, name: bytes, context: bytes, size: int) -> bytes:
        return mac(prk, u16(size) + b"HPKE-v1" + suite_id + name + context + b"\x01")[:size]

    secret = expand(
        kem, extract(kem, b"", b"eae_prk", shared), b"shared_secret", enc + recipient, 32
    )
    context = (
        b"\0" + extract(suite, b"", b"psk_id_hash", b"") + extract(suite, b"", b"info_hash", info)
    )
    schedule = extract(suite, secret, b"secret", b"")
    key = expand(suite, schedule, b"key", context, 32)
    nonce = expand(suite, schedule, b"base_nonce", context, 12)
    return enc + AESGCM(key).encrypt(nonce, plaintext, b"")


# ------------------------------------------------------------------------------ people, signatures


class Person:
    """An account whose keys follow from a fixed account secret."""

    def __init__(self, name: str, account: bytes | None = None) -> None:
        self.name = name
        self.login = f"{name.partition(' ')[0].lower()}@example.com"
        self.secret = fixed(f"account secret of {name}")
        self._signing = Ed25519PrivateKey.from_private_bytes(
            hkdf(self.secret, b"", b"sopor/1 signing")
        )
        self.encryption_seed = hkdf(self.secret, b"", b"sopor/1 encryption")
        private = X25519PrivateKey.from_private_bytes(self.encryption_seed)
        self.signing = self._signing.public_key().public_bytes_raw()
        self.encryption = private.public_key().public_bytes_raw()
        own = sha256(b"sopor/1 account\0" + self.signing + self.encryption)[:16]
        self.account = account or own

    def rekeyed(self) -> Person:
        """The same account with new keys."""
        return Person(f"{self.name} again", self.account)

    def __deepcopy__(self, _memo: object) -> Person:
        return self

    def identity(self) -> dict[str, str]:
        return {
            "account": b64(self.account),
            "signing": b64(self.signing),
            "encryption": b64(self.encryption),
        }

    def sign(self, name: str, value: Vector) -> Vector:
        """The object with its signature under a label."""
        unsigned = {key: item for key, item in value.items() if key != "sig"}
        message = name.encode() + b"\0" + canonical(unsigned)
        return {**unsigned, "sig": b64(self._signing.sign(message))}


def sign_with_seed(seed: bytes, name: str, value: Vector) -> Vector:
    """The object signed by the key of a seed."""
    key = Ed25519PrivateKey.from_private_bytes(seed)
    return {**value, "sig": b64(key.sign(name.encode() + b"\0" + canonical(value)))}


def public_of_seed(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def entry_hash(name: str, entry: bytes) -> bytes:
    return sha256(name.encode() + b"\0" + entry)


# ------------------------------------------------------------------------- vectors that many share

PROJECT = fixed("project", 16)
OTHER_PROJECT = fixed("another project", 16)
SECRETS = {1: fixed("epoch 1"), 2: fixed("epoch 2")}
KEY = content_key(PROJECT, SECRETS[1])
EPOCHS_JSON = {str(epoch): secret.hex() for epoch, secret in SECRETS.items()}


def good(name: str, **fields: Any) -> Vector:
    return {"name": name, **fields}


def bad(name: str, layer: str, **fields: Any) -> Vector:
    return {"name": name, "layer": layer, **fields}
