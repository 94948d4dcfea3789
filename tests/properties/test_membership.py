"""The membership log against a model: random people try random things, rightly and wrongly.

After every entry roles, recipients, epochs, due scopes, cuts and open invites are those of the
model; the secrets open for the recipients and for nobody else. Whatever is refused leaves no trace.
SOPOR_EXAMPLES gives the number of stories.
"""

from __future__ import annotations

import os
from collections.abc import Collection

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sopor.crypto.account import SigningKey
from sopor.crypto.epochs import (
    Addresses,
    Unwrapper,
    first_epoch,
    next_epoch,
    unlock_scope,
    wrap_context,
)
from sopor.crypto.founding import genesis_entry
from sopor.crypto.keys import EpochSecret, ProjectKeys
from sopor.crypto.labels import seal_organization_label, seal_project_label
from sopor.crypto.wraps import wrap
from sopor_core.errors import VerificationError
from sopor_core.ids import AccountId, InviteId, OrgId
from sopor_core.license import License
from sopor_core.membership import (
    AccountRekey,
    Body,
    Cut,
    Epoch,
    Genesis,
    Invite,
    InviteCancel,
    Join,
    Label,
    MembershipEntry,
    MembershipLog,
    NewEpochs,
    OrgSet,
    Plan,
    ProjectNew,
    ProjectSet,
    Recipient,
    Remove,
    Role,
    Scope,
    SetRole,
    Status,
    rekey_message,
)
from sopor_core.signing import REKEY, signed_message
from tests.properties.membership_faults import broken
from tests.properties.organizations import (
    ADMINISTERS,
    EXPIRES,
    NOWHERE,
    TIME,
    Given,
    Roles,
    Somebody,
    World,
    seen,
)

_LOGINS = ["ada", "bob", "cleo", "dan", "eve", "eve"]
_PEOPLE = st.integers(0, len(_LOGINS) - 1)
_ACTORS = st.integers(0, 4 * len(_LOGINS) - 1)
"""Mostly somebody who may, else anybody; see `_actor`."""
_ROLES = st.sampled_from(["owner", "admin", "editor", "viewer"])
_PROJECT_ROLES = st.sampled_from(["editor", "viewer", "none"])
_SOME = st.integers(0, 7)
_RARELY = st.integers(0, 9).map(lambda number: number == 9)
_SOMETIMES = st.integers(0, 3).map(lambda number: number == 3)
_FAULTS = st.integers(0, 39)
_OPERATOR = SigningKey(b"o" * 32)

NewSecrets = dict[Scope, EpochSecret]


class Organization(RuleBasedStateMachine):
    """Each rule lets somebody try something; the model says whether it may be."""

    @initialize()
    def found(self) -> None:
        people = [Somebody(number, login) for number, login in enumerate(_LOGINS)]
        keys = people[0].keys
        entry = genesis_entry(keys, people[0].login, "Analysts", "team", TIME)
        log = MembershipLog.replay(OrgId(entry.hash), [entry.encoded])
        assert isinstance(entry.body, Genesis)
        roles = Roles(entry.body.home, {0: Given("owner")})
        home = keys.unwrap(
            entry.body.first.wraps[keys.identity.account],
            wrap_context(log.org, log.home, log.home, 1, keys.identity.account),
            entry.body.first.commitment,
        )
        self.world = World(people, log, roles, {}, entries=[entry.encoded])
        self.world.start_epoch(log.home, home)
        for number, role in enumerate(("admin", "editor", "viewer"), 1):
            self.invite(0, number - 1, role, "none", 0, 0)
            self.join(number, number - 1, late=False, fault=0)
        self.project_new(0, again=False, fault=0)
        self.push(0)
        self.project_new(1, again=False, fault=0)
        self.set_role_in_project(0, 3, 0, "none", 0)
        self.invite(1, 3, "viewer", "none", 1, 0)
        assert self.world.log.head.seq == 11

    def _actor(self, drawn: int, able: Collection[int]) -> int:
        """Anybody, or three times as often one of those who may do something."""
        if drawn < len(_LOGINS) or not able:
            return drawn % len(_LOGINS)
        return sorted(able)[drawn % len(able)]

    def _admins(self) -> set[int]:
        return {
            number for number in self.world.roles.members if self.world.roles.administers(number)
        }

    # ---------------------------------------------------------------------------------- people

    @rule(by=_ACTORS, number=_SOME, role=_ROLES, other=_PROJECT_ROLES, special=_SOME, fault=_FAULTS)
    def invite(self, by: int, number: int, role: str, other: str, special: int, fault: int) -> None:
        by = self._actor(by, self._admins())
        world = self.world
        code = world.code(number, by)
        projects = {p: other for at, p in enumerate(world.roles.projects) if special >> at & 1}
        given, after = Given(role, projects, by), world.roles.copy()
        invite = code.keys.invite
        right = (
            world.roles.administers(by)
            and (role != "owner" or world.roles.members[by].role == "owner")
            and not (projects and role in ADMINISTERS)
            and all(world.roles.projects[project] != "deleted" for project in projects)
            and not world.log.is_used(invite)
        )
        after.invites[invite] = given
        body = Invite(
            invite,
            code.keys.key,
            code.keys.encryption,
            Role(role),
            {project: Role(role) for project, role in projects.items()},
            EXPIRES,
            self._wraps(world.roles.scopes_of(given), invite, code.keys.encryption),
        )
        self._try(by, body, after, right=right, fault=fault)

    @rule(by=_ACTORS, which=_SOME, fault=_FAULTS)
    def cancel(self, by: int, which: int, fault: int) -> None:
        by = self._actor(by, self._admins())
        invite = self._some_code(which)
        if invite is None:
            return
        given, after = self.world.roles.invites.get(invite), self.world.roles.copy()
        after.invites.pop(invite, None)
        right = given is not None and self._may_change(by, given.role)
        epochs, new = self._epochs(after, self.world.roles.lost(after))
        self._try(by, InviteCancel(invite, epochs), after, new, right=right, fault=fault)

    @rule(who=_ACTORS, which=_SOME, late=_SOMETIMES, fault=_FAULTS)
    def join(self, who: int, which: int, late: bool, fault: int) -> None:
        who = self._actor(who, {*range(len(_LOGINS))} - {*self.world.roles.members})
        invite = self._some_code(which)
        if invite is None:
            return
        world, person, code = self.world, self.world.people[who], self.world.codes[invite]
        given, after = world.roles.invites.get(invite), world.roles.copy()
        after.invites.pop(invite, None)
        seat = given or Given("viewer")
        after.members[who] = Given(seat.role, {**seat.projects})
        logins = {world.people[number].login for number in world.roles.members}
        right = given is not None and who not in world.roles.members and not late
        right = right and person.login not in logins
        identity = person.keys.identity
        body = Join(
            invite,
            identity,
            person.login,
            self._wraps(world.roles.scopes_of(seat), identity.account, identity.encryption),
            code.keys.vouch(world.log.head.hash, identity, person.login),
        )
        time = EXPIRES + 1 if late else EXPIRES
        self._try(who, body, after, right=right, fault=fault, time=time)

    @rule(by=_ACTORS, whom=_PEOPLE, role=_ROLES, fault=_FAULTS)
    def set_role(self, by: int, whom: int, role: str, fault: int) -> None:
        by = self._actor(by, self._admins())
        before, after = self.world.roles, self.world.roles.copy()
        seat = before.members.get(whom)
        other = {} if role in ADMINISTERS or seat is None else {**seat.projects}
        after.members[whom] = Given(role, other)
        gives = {
            "owner": ("owner", "admin", "editor", "viewer"),
            "admin": ("admin", "editor", "viewer"),
        }
        after.drop_invites(lambda given: given.by != whom or given.role in gives.get(role, ()))
        right = seat is not None and self._may_change(by, seat.role, role)
        right = right and bool(after.owners())
        self._set_role(by, whom, Role(role), None, after, right=right, fault=fault)

    @rule(by=_ACTORS, whom=_PEOPLE, which=_SOME, role=_PROJECT_ROLES, fault=_FAULTS)
    def set_role_in_project(self, by: int, whom: int, which: int, role: str, fault: int) -> None:
        by = self._actor(by, self._admins())
        before, after = self.world.roles, self.world.roles.copy()
        if not before.projects:
            return
        project = [*before.projects][which % len(before.projects)]
        seat = before.members.get(whom)
        changed = seat or Given("viewer")
        after.members[whom] = Given(changed.role, {**changed.projects, project: role})
        right = (
            seat is not None
            and before.administers(by)
            and seat.role not in ADMINISTERS
            and before.projects[project] != "deleted"
        )
        self._set_role(by, whom, Role(role), project, after, right=right, fault=fault)

    def _set_role(
        self,
        by: int,
        whom: int,
        role: Role,
        project: Scope | None,
        after: Roles,
        *,
        right: bool,
        fault: int,
    ) -> None:
        before = self.world.roles
        identity = self.world.people[whom].keys.identity
        had = before.scopes_of(before.members[whom]) if whom in before.members else set()
        gained = after.scopes_of(after.members[whom]) - had
        wraps = self._wraps(gained, identity.account, identity.encryption)
        epochs, new = self._epochs(after, before.lost(after))
        body = SetRole(identity.account, role, project, wraps, epochs)
        self._try(by, body, after, new, right=right, fault=fault)

    @rule(by=_ACTORS, whom=_PEOPLE, fault=_FAULTS)
    def remove(self, by: int, whom: int, fault: int) -> None:
        by = self._actor(by, self._admins() | {whom})
        before, after = self.world.roles, self.world.roles.copy()
        seat = after.members.pop(whom, None)
        after.drop_invites(lambda given: given.by != whom)
        account = self.world.people[whom].keys.identity.account
        owned = seat is not None and bool(after.owners())
        if by == whom:
            due = before.lost(after)
            self._try(by, Remove(account, {}), after, due=due, right=owned, fault=fault)
            return
        epochs, new = self._epochs(after, before.lost(after))
        right = owned and seat is not None and self._may_change(by, seat.role)
        self._try(by, Remove(account, epochs), after, new, right=right, fault=fault)

    @rule(who=_ACTORS, fault=_FAULTS)
    def rekey(self, who: int, fault: int) -> None:
        who = self._actor(who, self.world.roles.members)
        world, person = self.world, self.world.people[who]
        before, after, keys = world.roles, world.roles.copy(), person.next_keys()
        after.drop_invites(lambda given: given.by != who)
        own = before.scopes_of(before.members[who]) if who in before.members else set()
        message = rekey_message(world.org, world.log.head.hash, keys.identity)
        body = AccountRekey(
            keys.identity,
            self._wraps(own, keys.identity.account, keys.identity.encryption),
            keys.sign(signed_message(REKEY, message)),
        )
        right = who in before.members
        due = own | before.lost(after)
        if self._try(who, body, after, due=due, right=right, fault=fault):
            person.old.append(person.keys)
            person.keys = keys

    # ------------------------------------------------------------------- projects, organization

    @rule(by=_ACTORS, again=_RARELY, fault=_FAULTS)
    def project_new(self, by: int, again: bool, fault: int) -> None:
        by = self._actor(by, self._admins())
        world = self.world
        if len(world.roles.projects) == 3 and not again:
            return
        known = [*world.roles.projects, world.roles.home]
        project = known[0] if again else Scope.random()
        after, secret = world.roles.copy(), EpochSecret.random()
        after.projects[project] = "active"
        first = first_epoch(world.org, project, secret, self._addresses(after, project))
        label = seal_project_label(ProjectKeys(project, {1: secret}), 1, "Petstore")
        right = world.roles.administers(by) and not again
        self._try(
            by,
            ProjectNew(project, first, label),
            after,
            {project: secret},
            right=right,
            fault=fault,
        )

    @rule(by=_ACTORS, which=_SOME, status=st.sampled_from([None, "active", "archived", "deleted"]))
    def project_set(self, by: int, which: int, status: str | None) -> None:
        by = self._actor(by, self._admins())
        world, after = self.world, self.world.roles.copy()
        if not after.projects:
            return
        project = [*after.projects][which % len(after.projects)]
        keys = world.keys(project)
        sealed = Label(keys.newest, seal_project_label(keys, keys.newest, "Zoo"))
        label = sealed if status is None else None
        right = world.roles.administers(by) and world.roles.projects[project] != "deleted"
        right = right and not (label and project in world.due)
        if status is not None:
            after.projects[project] = status
        if status == "deleted":
            after.members = {n: given.without(project) for n, given in after.members.items()}
        body = ProjectSet(project, Status(status) if status else None, label)
        if self._try(by, body, after, right=right) and status == "deleted":
            world.due.discard(project)

    @rule(by=_ACTORS)
    def rename(self, by: int) -> None:
        by = self._actor(by, self.world.roles.owners())
        home = self.world.roles.home
        keys = self.world.keys(home)
        label = Label(keys.newest, seal_organization_label(keys, keys.newest, "Synthesists"))
        right = by in self.world.roles.owners() and home not in self.world.due
        self._try(by, OrgSet(label), self.world.roles.copy(), right=right)

    @rule(by=_ACTORS, really=_RARELY)
    def delete(self, by: int, really: bool) -> None:
        by = self._actor(by, self.world.roles.owners())
        right = by in self.world.roles.owners()
        if really or not right:
            body = OrgSet(None, deleted=True)
            if self._try(by, body, self.world.roles.copy(), right=right):
                self.world.deleted = True

    @rule(by=_ACTORS, which=_SOME, fault=_FAULTS)
    def new_epochs(self, by: int, which: int, fault: int) -> None:
        by = self._actor(by, self._admins())
        roles = self.world.roles
        scopes = {scope for at, scope in enumerate(roles.scopes) if which >> at & 1}
        self._new_epochs(by, scopes or {roles.home}, fault)

    @rule(by=_ACTORS, fault=_FAULTS)
    def make_what_is_due(self, by: int, fault: int) -> None:
        by = self._actor(by, [n for n in self.world.roles.members if n != 3])
        if self.world.due:
            self._new_epochs(by, self.world.due, fault)

    def _new_epochs(self, by: int, scopes: Collection[Scope], fault: int) -> None:
        world, given = self.world, self.world.roles.members.get(by)

        def may(scope: Scope) -> bool:
            if given is None:
                return False
            role = given.role if scope == world.roles.home else given.in_project(scope)
            return role in ADMINISTERS or (role == "editor" and scope in world.due)

        epochs, new = self._epochs(world.roles, scopes)
        right = all(may(scope) for scope in scopes)
        self._try(by, NewEpochs(epochs), world.roles.copy(), new, right=right, fault=fault)

    @rule(by=_ACTORS, foreign=_RARELY)
    def plan(self, by: int, foreign: bool) -> None:
        by = self._actor(by, self.world.roles.owners())
        org = OrgId(bytes(32)) if foreign else self.world.org
        license_ = License(org, "studio", 10, 0, 0, None).sign(_OPERATOR)
        right = by in self.world.roles.owners() and not foreign
        if self._try(by, Plan(license_), self.world.roles.copy(), right=right):
            assert self.world.log.license == license_

    @rule(which=_SOME)
    def push(self, which: int) -> None:
        projects = [*self.world.roles.projects]
        if projects:
            self.world.advance(projects[which % len(projects)])

    # ------------------------------------------------------------------------------ what is tried

    def _try(
        self,
        by: int,
        body: Body,
        after: Roles,
        new: NewSecrets | None = None,
        due: Collection[Scope] = (),
        *,
        right: bool,
        fault: int = 0,
        time: int = TIME,
    ) -> bool:
        """Appends an entry if the model allows it, and sees it refused if not."""
        world = self.world
        faulty = broken(body, fault)
        head = world.log.head
        entry = MembershipEntry(
            world.org,
            head.seq + 1,
            head.hash,
            world.people[by].keys.identity.account,
            time,
            faulty or body,
        ).sign(world.people[by].keys)
        if faulty is not None or not right or world.deleted:
            before = seen(world.log)
            with pytest.raises(VerificationError):
                world.log.append(entry)
            assert seen(world.log) == before
            return False
        world.log.append(MembershipEntry.parse(entry.encoded))
        world.entries.append(entry.encoded)
        world.roles = after
        for scope, secret in (new or {}).items():
            world.start_epoch(scope, secret)
        world.due |= set(due)
        return True

    def _may_change(self, by: int, *roles: str) -> bool:
        given = self.world.roles.members.get(by)
        if given is None or given.role not in ADMINISTERS:
            return False
        return given.role == "owner" or "owner" not in roles

    def _some_code(self, which: int) -> InviteId | None:
        codes = [*self.world.codes]
        if which > 1 and self.world.roles.invites:
            codes = [*self.world.roles.invites]
        return codes[which % len(codes)] if codes else None

    def _wraps(self, scopes: Collection[Scope], to: Recipient, key: bytes) -> dict[Scope, bytes]:
        world, found = self.world, {}
        for scope in scopes:
            number = len(world.secrets[scope])
            context = wrap_context(world.org, world.roles.home, scope, number, to)
            found[scope] = wrap(world.secrets[scope][-1], key, context)
        return found

    def _addresses(self, roles: Roles, scope: Scope) -> Addresses:
        identities = [self.world.people[number].keys.identity for number in roles.people(scope)]
        invites = {i: self.world.codes[i].keys.encryption for i in roles.invited(scope)}
        return Addresses({one.account: one.encryption for one in identities}, invites)

    def _epochs(
        self, after: Roles, scopes: Collection[Scope]
    ) -> tuple[dict[Scope, Epoch], NewSecrets]:
        world, epochs, new = self.world, {}, {}
        # In the order of the model, so that a story that is told again is the same.
        for scope in [scope for scope in world.roles.scopes if scope in scopes]:
            cut = None if scope == after.home else world.heads.get(scope, NOWHERE)
            to = self._addresses(after, scope)
            new[scope], epochs[scope] = next_epoch(world.org, world.keys(scope), to, cut)
        return epochs, new

    # --------------------------------------------------------------------------------- invariants

    @invariant()
    def the_log_is_as_the_model_says(self) -> None:
        world, log, roles = self.world, self.world.log, self.world.roles
        assert roles.owners()
        assert log.deleted == world.deleted
        assert log.members() == {
            self._account(number): given.role for number, given in roles.members.items()
        }
        assert {a: (s.role, dict(s.projects)) for a, s in log.access.members.items()} == {
            self._account(number): (given.role, given.projects)
            for number, given in roles.members.items()
        }
        assert set(log.access.invites) == set(roles.invites)
        assert set(log.projects()) == set(roles.scopes) - {roles.home}
        assert set(log.due()) == world.due & set(roles.scopes)
        for project, status in roles.projects.items():
            assert log.status(project) == status
            cuts = [Cut(members, push) for members, push in world.cuts.get(project, [])]
            assert list(log.cuts(project)) == cuts
            if status != "deleted":
                self._check_roles(project)

    def _check_roles(self, project: Scope) -> None:
        for number, person in enumerate(self.world.people):
            given = self.world.roles.members.get(number)
            role = given.in_project(project) if given else "none"
            account = person.keys.identity.account
            found = self.world.log.role_at(account, self.world.log.head.seq, project)
            assert (found or "none") == role

    @invariant()
    def epochs_are_for_the_recipients_alone(self) -> None:
        world, log = self.world, self.world.log
        for scope in world.roles.scopes:
            keys = log.keys(scope)
            assert keys.epoch == len(world.secrets[scope])
            assert keys.wraps.keys() == world.accounts(world.roles.people(scope))
            assert keys.invites.keys() == world.roles.invited(scope)
            for epoch in log.epochs(scope):
                accounts, invites = world.made_for[scope, epoch.number]
                assert epoch.wraps.keys() == accounts
                assert epoch.invites.keys() == invites

    @invariant()
    def secrets_open_for_the_recipients_alone(self) -> None:
        roles = self.world.roles
        for scope in roles.scopes:
            for number, person in enumerate(self.world.people):
                account = person.keys.identity.account
                opens = number in roles.people(scope)
                self._check_opens(scope, account, person.keys, opens=opens)
                for old in person.old:
                    self._check_opens(scope, account, old, opens=False)
            for invite, code in self.world.codes.items():
                opens = invite in roles.invited(scope)
                self._check_opens(scope, invite, code.keys, opens=opens)

    def _check_opens(self, scope: Scope, who: Recipient, key: Unwrapper, *, opens: bool) -> None:
        if not opens:
            with pytest.raises(VerificationError):
                unlock_scope(self.world.log, scope, who, key)
            return
        keys = unlock_scope(self.world.log, scope, who, key)
        found = [keys.secret(number + 1).reveal() for number in range(keys.newest)]
        assert found == [secret.reveal() for secret in self.world.secrets[scope]]

    def _account(self, number: int) -> AccountId:
        return self.world.people[number].keys.identity.account

    def teardown(self) -> None:
        if hasattr(self, "world"):
            again = MembershipLog.replay(self.world.org, self.world.entries)
            assert seen(again) == seen(self.world.log)


TestOrganization = Organization.TestCase
TestOrganization.settings = settings(
    max_examples=int(os.environ.get("SOPOR_EXAMPLES", "80")),
    stateful_step_count=40,
    deadline=None,
)
