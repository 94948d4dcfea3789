"""The newest state of an organization, which is all that the server needs to judge a push.

The log grows by `sopor_server.service.organizations`; here it is only asked, on behalf of somebody.
"""

from __future__ import annotations

from sopor_core.errors import ForkError, Layer, VerificationError
from sopor_core.ids import AccountId, OrgId, ProjectId
from sopor_core.membership import Role, Status, writable_epoch
from sopor_core.push_entry import Citation
from sopor_core.signing import VerifyKey
from sopor_core.wire.problems import Code
from sopor_server.auth import Caller
from sopor_server.errors import Refused, not_found
from sopor_server.ports.metadata import MetadataStore
from sopor_server.ports.records import Organization, Project
from sopor_server.service import state
from sopor_server.service.state import Member, ProjectState


class NewestState:
    """Answers `sopor_core.push_log.MembershipView` for the newest membership entry alone."""

    def __init__(self, org: Organization) -> None:
        self._head = org.head
        self._state = state.of(org)

    def check_citation(self, cited: Citation) -> None:
        """Raises unless the newest entry is cited."""
        self._check_seq(cited.seq)
        if cited != self._head:
            raise ForkError(f"membership entry {cited.seq} is another one than is cited")

    def role_at(self, account: AccountId, seq: int, project: ProjectId) -> Role | None:
        """Returns the present role in a project, or None."""
        self._check_seq(seq)
        return self._state.role(account, project)

    def signing_key(self, account: AccountId, seq: int) -> VerifyKey:
        """Returns a present member's key; raises VerificationError (``membership``)."""
        self._check_seq(seq)
        return self._member(account).signing

    def epoch_at(self, project: ProjectId, seq: int) -> int:
        """Returns the epoch under which a project is written now.

        Raises:
            VerificationError: layer ``membership``, ``role`` or ``epoch``: the project is not
                there, or archived, or needs a new epoch first.
        """
        self._check_seq(seq)
        found = self._project(project)
        return writable_epoch(found.epoch, found.status, due=found.due)

    def check_cut(self, project: ProjectId, entry: Citation, cited: int) -> None:
        """Raises VerificationError (``membership``) unless the entry stands behind every cut.

        It cites the newest state, so it must. Only a push log that lost its end does not reach so
        far as its newest cut.
        """
        self._check_seq(cited)
        cut = self._project(project).cut
        if cut is not None and entry.seq <= cut.push.seq:
            raise VerificationError(
                Layer.MEMBERSHIP, f"entry {entry.seq} cites a state after its own time"
            )

    def _check_seq(self, seq: int) -> None:
        if seq != self._head.seq:
            raise VerificationError(Layer.MEMBERSHIP, "not the newest membership state is cited")

    def _member(self, account: AccountId) -> Member:
        found = self._state.members.get(account)
        if found is None:
            raise VerificationError(Layer.MEMBERSHIP, "no keys of that account are known")
        return found

    def _project(self, project: ProjectId) -> ProjectState:
        found = self._state.projects.get(project)
        if found is None:
            raise VerificationError(Layer.MEMBERSHIP, "the project is not of the organization")
        return found


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
        Refused: ``not-found``, for an unknown project as for one that the caller has no role in;
            to members ``project-deleted`` and ``organization-deleted``.
    """
    found = store.project(project, commits=commits)
    org = store.organization(found.organization) if found else None
    if found is None or org is None:
        raise not_found("project")
    check_reads(org, caller, project)
    return found, org


def check_reads(org: Organization, caller: Caller, project: ProjectId) -> None:
    """Raises Refused unless the caller may read a project of this organization.

    Raises:
        Refused: as `project_of_member` does.
    """
    if caller.account not in org.members:
        raise not_found("project")
    newest = state.of(org)
    if newest.deleted:
        raise organization_deleted()
    if project not in newest.projects:
        raise Refused(
            Code.PROJECT_DELETED,
            "the project was deleted",
            hint="the membership log of the organization tells by whom and when",
        )
    if newest.role(caller.account, project) is None:
        raise not_found("project")


def check_writes(org: Organization, account: AccountId, project: ProjectId) -> None:
    """Raises Refused unless a member may bring something new into a project, which is live.

    Raises:
        Refused: ``forbidden`` to viewers, ``project-archived``.
    """
    newest = state.of(org)
    role = newest.role(account, project)
    if role is None or not role.may_write:
        raise Refused(
            Code.FORBIDDEN,
            f"the role {role or Role.NONE} may not push",
            hint="ask an owner or admin of the organization for the role editor",
        )
    if newest.projects[project].status is Status.ARCHIVED:
        raise Refused(
            Code.PROJECT_ARCHIVED,
            "the project is archived, so nothing is pushed to it",
            hint="an owner or admin of the organization can make it active again",
        )


def organization_deleted() -> Refused:
    """Returns the answer to who asks for more of a deleted organization than its log."""
    return Refused(
        Code.ORGANIZATION_DELETED,
        "the organization was deleted",
        hint="its membership log tells by whom and when",
    )
