"""Tells once of what looks like a secret in a commit, or stops such commits where that is set.

Contents are encrypted for the server, so this is about the project's other members, and about those
who will be members one day.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sopor.errors import InvalidInput, SecretsFound
from sopor.model.document import Document
from sopor.model.secrets_guard import Finding, find_secrets
from sopor.repository.context import Content, Context
from sopor_core.ids import CommitId

SETTING = "secrets"
ALLOW, WARN, REFUSE = "allow", "warn", "refuse"
_ALLOWED = "allowed-secrets"
_SHOWN = 5


def check_secrets(
    context: Context,
    contents: Iterable[Content],
    parents: Sequence[CommitId],
    *,
    allow: bool,
    refuse: bool = False,
) -> Sequence[Finding]:
    """Checks what a commit adds; what its documents had before, in any parent, is not new.

    Args:
        context: the working copy.
        contents: what the commit adds.
        parents: its parents.
        allow: whether somebody looked at it and allows it.
        refuse: whether nobody would read a warning, so that it is refused instead.

    Returns:
        What looks like a secret and was neither there nor told of before, for `remember_told`.

    Raises:
        SecretsFound: there is some, and it is refused; the message tells where.
        InvalidInput: the setting has a value that it can't have.
    """
    setting = context.accounts.config.get(SETTING, context.store) or WARN
    if setting not in {ALLOW, WARN, REFUSE}:
        raise InvalidInput(
            f"the setting {SETTING} is {setting!r}",
            hint=f"set it to `{WARN}`, `{REFUSE}` or `{ALLOW}`, or unset it",
        )
    documents = [content.document for content in contents]
    found = find_secrets(documents) if setting != ALLOW else ()
    if not found:
        return ()
    known = _told_of(context) | _before(context, documents, parents)
    fresh = [finding for finding in found if finding.fingerprint not in known]
    if fresh and (refuse or setting == REFUSE) and not allow:
        raise SecretsFound(
            f"the commit would add what looks like {_told(fresh)}",
            hint="keep such values in a private environment, which never leaves this machine; "
            "or commit them with `sopor commit --allow-secrets`",
        )
    return fresh


def _told(fresh: Sequence[Finding]) -> str:
    lines = map(tell, fresh[:_SHOWN])
    more = f", and {len(fresh) - _SHOWN} more" if len(fresh) > _SHOWN else ""
    return ", ".join(lines) + more


def tell(finding: Finding) -> str:
    """Says what seems to be where, and nothing of the value."""
    return f'{finding.kind} in {finding.type} "{finding.name}" ({finding.place})'


def _before(
    context: Context, documents: Sequence[Document], parents: Sequence[CommitId]
) -> frozenset[str]:
    """Returns the fingerprints of what the documents had in the parents."""
    states = [context.store.commits.state(parent) for parent in parents]
    cids = {state[item.id] for state in states for item in documents if item.id in state}
    return frozenset(finding.fingerprint for finding in find_secrets(context.load_all(cids)))


def _told_of(context: Context) -> frozenset[str]:
    return frozenset((context.store.settings.get(_ALLOWED) or "").split())


def remember_told(context: Context, fresh: Iterable[Finding]) -> None:
    """Remembers what was told of or allowed, so that the same value is not told of again."""
    fingerprints = {finding.fingerprint for finding in fresh}
    if fingerprints:
        known = _told_of(context) | fingerprints
        context.store.settings.set(_ALLOWED, " ".join(sorted(known)))
