"""Stops commits that would add what looks like a secret, until it is allowed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sopor.errors import InvalidInput, SecretsFound
from sopor.model.document import Document
from sopor.model.secrets_guard import Finding, find_secrets
from sopor.repository.context import Content, Context
from sopor_core.ids import CommitId

SETTING = "secrets"
ALLOW = "allow"
_ALLOWED = "allowed-secrets"
_SHOWN = 5


def check_secrets(
    context: Context, contents: Iterable[Content], parents: Sequence[CommitId], *, allow: bool
) -> frozenset[str]:
    """Checks what a commit adds; what its documents had before, in any parent, is not new.

    Returns:
        The fingerprints of what was allowed now, for `remember_allowed`.

    Raises:
        SecretsFound: something looks like a secret and is not allowed; the message tells where.
        InvalidInput: the setting has a value that it can't have.
    """
    setting = context.accounts.config.get(SETTING, context.store)
    if setting not in {None, ALLOW}:
        raise InvalidInput(
            f"the setting {SETTING} is {setting!r}", hint=f"set it to `{ALLOW}`, or unset it"
        )
    if setting == ALLOW:
        return frozenset()
    documents = [content.document for content in contents]
    found = find_secrets(documents)
    if not found:
        return frozenset()
    known = _allowed(context) | _before(context, documents, parents)
    fresh = [finding for finding in found if finding.fingerprint not in known]
    if fresh and not allow:
        raise SecretsFound(
            f"the commit would add what looks like {_told(fresh)}",
            hint="keep such values in a private environment, which never leaves this machine; "
            "or commit them with `sopor commit --allow-secrets`",
        )
    return frozenset(finding.fingerprint for finding in fresh)


def _told(fresh: Sequence[Finding]) -> str:
    lines = [
        f'{finding.kind} in {finding.type} "{finding.name}" ({finding.place})'
        for finding in fresh[:_SHOWN]
    ]
    more = f", and {len(fresh) - _SHOWN} more" if len(fresh) > _SHOWN else ""
    return ", ".join(lines) + more


def _before(
    context: Context, documents: Sequence[Document], parents: Sequence[CommitId]
) -> frozenset[str]:
    """Returns the fingerprints of what the documents had in the parents."""
    states = [context.store.commits.state(parent) for parent in parents]
    cids = {state[item.id] for state in states for item in documents if item.id in state}
    return frozenset(
        finding.fingerprint for finding in find_secrets(map(context.load, sorted(cids)))
    )


def _allowed(context: Context) -> frozenset[str]:
    return frozenset((context.store.settings.get(_ALLOWED) or "").split())


def remember_allowed(context: Context, fingerprints: frozenset[str]) -> None:
    """Remembers what was allowed, so that the same value is not asked about again."""
    if fingerprints:
        known = _allowed(context) | fingerprints
        context.store.settings.set(_ALLOWED, " ".join(sorted(known)))
