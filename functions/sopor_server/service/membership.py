"""The newest state of an organization, which is all that the server needs to judge a push.

The whole log is replayed only when it grows. The state that follows from it is stored beside its
head, so that a push reads one document.
"""

from __future__ import annotations

from sopor_core.errors import ForkError, Layer, VerificationError
from sopor_core.ids import AccountId, OrgId, ProjectId
from sopor_core.membership import MembershipLog, Role
from sopor_core.push_entry import Citation
from sopor_core.signing import VerifyKey
from sopor_server.auth import Caller
from sopor_server.errors import not_found
from sopor_server.ports.metadata import MetadataStore
from sopor_server.ports.records import Member, Organization, Project


def state_of(log: MembershipLog) -> Organization:
    """Returns the state after the newest entry of a verified log."""
    return Organization(
        log.org,
        log.head,
        log.kind,
        {
            account: Member(role, log.identity(account).signing)
            for account, role in log.members().items()
        },
        {project: log.keys(project).epoch for project in log.projects()},
    )


class NewestState:
    """Answers `sopor_core.push_log.MembershipView` for the newest membership entry alone."""

    def __init__(self, org: Organization) -> None:
        self._org = org

    def check_citation(self, cited: Citation) -> None:
        """Raises unless the newest entry is cited."""
        self._check_seq(cited.seq)
        if cited != self._org.head:
            raise ForkError(f"membership entry {cited.seq} is another one than is cited")

    def role_at(self, account: AccountId, seq: int) -> Role | None:
        """Returns the present role, or None."""
        self._check_seq(seq)
        member = self._org.members.get(account)
        return member.role if member else None

    def signing_key(self, account: AccountId, seq: int) -> VerifyKey:
        """Returns a present member's key; raises VerificationError (``membership``)."""
        self._check_seq(seq)
        member = self._org.members.get(account)
        if member is None:
            raise VerificationError(Layer.MEMBERSHIP, "no keys of that account are known")
        return member.signing

    def epoch_at(self, project: ProjectId, seq: int) -> int:
        """Returns the present epoch; raises VerificationError (``membership``)."""
        self._check_seq(seq)
        if project not in self._org.epochs:
            raise VerificationError(Layer.MEMBERSHIP, "the project is not of the organization")
        return self._org.epochs[project]

    def _check_seq(self, seq: int) -> None:
        if seq != self._org.head.seq:
            raise VerificationError(Layer.MEMBERSHIP, "not the newest membership state is cited")


def organization_of_member(store: MetadataStore, caller: Caller, org: OrgId) -> Organization:
    """Returns an organization that the caller is a member of. One read.

    Raises:
        Refused: ``not-found``, for an unknown organization as for one of others.
    """
    found = store.organization(org)
    if found is None or caller.account not in found.members:
        raise not_found("organization")
    return found


def project_of_member(
    store: MetadataStore, caller: Caller, project: ProjectId, *, commits: int = 0
) -> tuple[Project, Organization]:
    """Returns a project that the caller may read, and its organization. Two reads.

    The project is read first: the organization is then at least as new as what the project cites.

    Raises:
        Refused: ``not-found``, for an unknown project as for one of others.
    """
    found = store.project(project, commits=commits)
    org = store.organization(found.organization) if found else None
    if found is None or org is None or caller.account not in org.members:
        raise not_found("project")
    return found, org
