"""A client without a connection: verifies answers in this process, as `sopor pull` does.

with Reader.of(device, "petstore") as reader:
    reader.receive(answer)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256

from sopor.account import Account
from sopor.crypto.keys import ProjectKeys
from sopor.organization import check_own_place
from sopor.remote.answers import PullAnswer
from sopor.repository import Repository
from sopor.repository.project_keys import unwrap_keys
from sopor.sync.receive import Received, Receiver
from sopor_core.errors import Layer, VerificationError
from sopor_core.ids import OrgId, PackId
from sopor_core.membership import MembershipLog
from sopor_core.push_entry import Citation, PushEntry
from sopor_core.wire.parts import Part, PartKind
from tests.support.evil import Parts
from tests.support.world import Device


@dataclass
class Reader:
    """A working copy, and the packs that its server answers with; nothing else is asked."""

    repository: Repository
    account: Account
    stored: Mapping[PackId, bytes] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def of(cls, device: Device, name: str) -> Iterator[Reader]:
        """Opens a working copy of a device."""
        with device.open(name) as repository:
            context = repository.context
            yield cls(repository, context.accounts.of(context.store))

    @property
    def org(self) -> OrgId:
        """The organization of the project."""
        org = self.repository.context.org
        assert org is not None
        return org

    def receive(self, answer: PullAnswer) -> Received:
        """Takes an answer in; raises what `sopor.sync.receive.Receiver` raises."""
        context = self.repository.context
        receiver = Receiver(context.store, context.project, self.org, self._unlock, self._fetch)
        return receiver.receive(answer)

    def _unlock(self, membership: MembershipLog) -> ProjectKeys:
        check_own_place(membership, self.account)
        return unwrap_keys(self.account.keys, membership, self.repository.context.project)

    def _fetch(self, pack: PackId, _size: int) -> bytes:
        data = self.stored.get(pack)
        if data is None:
            raise VerificationError(Layer.PACK, "the server does not have the pack")
        return data


def answer_of(groups: Sequence[Parts], ends: Citation, head: Citation | None = None) -> PullAnswer:
    """Returns an answer with these push entries and packs, after which nothing comes."""
    parts: list[Part] = [part for group in groups for part in group]
    packs = [part.data for part in parts if part.kind is PartKind.PACK]
    entries = tuple(part.data for part in parts if part.kind is PartKind.PUSH_ENTRY)
    return PullAnswer(
        head=head or PushEntry.parse(entries[-1]).citation,
        members=ends,
        more=False,
        entries=entries,
        packs={PackId(sha256(pack).digest()): pack for pack in packs},
    )
