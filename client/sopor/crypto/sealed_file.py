"""Seals bytes under a passphrase, for the keystore file of a device (SPEC section 13).

The file tells its own Argon2id parameters, so they are checked before they are used: weaker ones
would mean that somebody wants the passphrase guessed.
"""

from __future__ import annotations

import secrets

from sopor.crypto.passwords import SALT_BYTES, stretch
from sopor.crypto.primitives import NONCE_BYTES, TAG_BYTES, RandomSource, hkdf, open_sealed, seal
from sopor_core import canonical
from sopor_core.account import KdfParameters
from sopor_core.canonical import Json
from sopor_core.encoding import b64encode
from sopor_core.errors import InvalidValue, Layer, VerificationError
from sopor_core.fields import Fields
from sopor_core.limits import MIB
from sopor_core.signing import signed_message

_LABEL = "sopor/1 keystore file"
_MAX_CONTENT_BYTES = MIB
_MAX_SEALED_BYTES = MIB + NONCE_BYTES + TAG_BYTES
_MAX_FILE_BYTES = 2 * MIB
_WRITER_COSTS = KdfParameters(m=65536, t=3, p=4)


class WrongPassphrase(VerificationError):
    """Says that a passphrase does not open a file; a damaged file cannot be told from that."""

    code = "wrong-passphrase"

    def __init__(self) -> None:
        super().__init__(
            Layer.ACCOUNT,
            "the passphrase does not open the keystore",
            hint="type it again; if it is right, the file is damaged",
        )


def seal_file(passphrase: str, content: bytes, random: RandomSource = secrets.token_bytes) -> bytes:
    """Returns a keystore file: one line of canonical JSON that holds ``content`` encrypted.

    Raises:
        InvalidValue: the passphrase is empty, or the content is over 1 MiB.
    """
    if len(content) > _MAX_CONTENT_BYTES:
        raise InvalidValue("a keystore holds at most 1 MiB", hint="remove accounts from it")
    salt = random(SALT_BYTES)
    header: dict[str, Json] = {
        "v": 1,
        "kdf": _WRITER_COSTS.to_json(),
        "salt": b64encode(salt),
    }
    key = _file_key(passphrase, salt, _WRITER_COSTS)
    sealed = seal(key, content, signed_message(_LABEL, header), random)
    return canonical.encode({**header, "sealed": b64encode(sealed)}) + b"\n"


def open_file(passphrase: str, data: bytes) -> bytes:
    """Returns the content of a keystore file.

    Raises:
        InvalidValue: the passphrase is empty.
        WrongPassphrase: the passphrase is wrong, or the file is damaged.
        VerificationError: layer ``canonical``, ``parse`` or ``kdf``, for bytes that are no keystore
            file, or one with costs that nobody should use.
    """
    if not data.endswith(b"\n") or len(data) > _MAX_FILE_BYTES:
        raise VerificationError(Layer.PARSE, "not a keystore file")
    value = canonical.decode(data[:-1])
    fields = Fields(value, "a keystore file")
    fields.version()
    costs = KdfParameters.from_json(fields.value("kdf"))
    salt = fields.data("salt", SALT_BYTES)
    sealed = fields.data("sealed", max_size=_MAX_SEALED_BYTES)
    fields.end()
    header: dict[str, Json] = {"v": 1, "kdf": costs.to_json(), "salt": b64encode(salt)}
    key = _file_key(passphrase, salt, costs)
    try:
        return open_sealed(
            key, sealed, signed_message(_LABEL, header), Layer.ACCOUNT, "the keystore"
        )
    except VerificationError:
        raise WrongPassphrase from None


def _file_key(passphrase: str, salt: bytes, costs: KdfParameters) -> bytes:
    return hkdf(stretch(passphrase, salt, costs), b"", _LABEL)
