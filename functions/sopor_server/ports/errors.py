"""The errors that may escape a storage port; nothing else may.

StoreError
|- LoginTaken            another account has the login name
|- AccountExists         the account is registered already
|- DeviceTaken           the device id belongs to another account, or is revoked
|- SubjectTaken          another account is linked to the person of the issuer
|- LinkMoved             the account is linked to another person of the same issuer
|- CredentialsMoved      the credentials were changed meanwhile
|- ChallengeUsed         the challenge was answered before
|- LogMoved              a log has another head than the append expects
|- MembershipMoved       the organization has another head than the push cites
|- HeadsMoved            a push log has another head than a membership entry cuts it at
|- ProjectExists         the project id is in use
|- CommitDiffers         a commit is known with other parents or another root
|- BlobMissing           there is no blob under the key
|- BlobDiffers           other bytes stand under the key
|- NewerSchema           a newer program wrote this store
|- OlderSchema           an older program wrote it, in a form that is read no more
|- IdTokenInvalid        an ID token is not of the issuer (`sopor_server.ports.sign_on`)
|- IssuerUnavailable     the issuer's keys cannot be had now (the same)
`- StoreUnavailable      the storage cannot answer now: full, locked, offline; trying again may help
"""

from __future__ import annotations

from sopor_core.errors import SoporError


class StoreError(SoporError):
    """Is the root of what a storage port raises."""

    code = "store"


class LoginTaken(StoreError):
    """Says that another account has the login name."""


class AccountExists(StoreError):
    """Says that the account is registered already."""


class DeviceTaken(StoreError):
    """Says that the device id belongs to another account or to a revoked device."""


class SubjectTaken(StoreError):
    """Says that another account is linked to the person of the issuer."""


class LinkMoved(StoreError):
    """Says that the account is linked to another person of the same issuer."""


class CredentialsMoved(StoreError):
    """Says that the credentials were changed since the caller read them."""


class ChallengeUsed(StoreError):
    """Says that a challenge was answered before."""


class LogMoved(StoreError):
    """Says that a log does not have the head that an append expects."""


class MembershipMoved(StoreError):
    """Says that the organization's head is not the one that a push cites."""


class HeadsMoved(StoreError):
    """Says that a push log does not have the head that a membership entry cuts it at."""


class ProjectExists(StoreError):
    """Says that the id of a new project is in use."""


class CommitDiffers(StoreError):
    """Says that an entry lists a known commit with other parents or another root."""


class BlobMissing(StoreError):
    """Says that there is no blob under the key."""


class BlobDiffers(StoreError):
    """Says that other bytes stand under the key of a create-only put."""


class NewerSchema(StoreError):
    """Says that a newer version of this program wrote the store."""


class OlderSchema(StoreError):
    """Says that a version of this program wrote the store that this one cannot bring forward."""


class StoreUnavailable(StoreError):
    """Says that the storage cannot answer now; the same call may succeed later."""
