"""Everything that an account asks its server for, typed; nothing that comes back is verified.

Whoever takes an answer passes it to `sopor.sync` first. Pushing and pulling import neither
pydantic nor anything else that takes long.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TypeVar

from sopor.errors import ServerRefused, SessionExpired
from sopor.remote import listings
from sopor.remote.answers import (
    MAX_ANSWER_BYTES,
    PullAnswer,
    parse_answer,
)
from sopor.remote.direct import AddressRefused, UploadAddress
from sopor.remote.listings import (
    RemoteAccount,
    RemoteBranches,
    RemoteDevice,
    RemoteProject,
    ServerMeta,
)
from sopor.remote.organizations import OrganizationsApi
from sopor.remote.posting import post_parts
from sopor.remote.session import Session
from sopor.remote.transport import Call, Reply, Transport
from sopor_core import canonical
from sopor_core.account import AccountRecord, ChallengeProof, Credentials
from sopor_core.encoding import b64encode
from sopor_core.errors import Layer, VerificationError
from sopor_core.ids import DeviceId, PackId, ProjectId
from sopor_core.limits import MAX_INLINE_BYTES, MAX_PACK_BYTES, MAX_SERVED_BYTES, MIB
from sopor_core.push_entry import Citation, PushEntry
from sopor_core.wire.parts import MEDIA_TYPE, Part, PartKind
from sopor_core.wire.problems import Code
from sopor_core.wire.routes import Operation

T = TypeVar("T")
OCTETS = "application/octet-stream"
_MAX_LISTING_BYTES = 16 * MIB
_NO_PACKS: Mapping[PackId, bytes] = MappingProxyType({})


class Remote:
    """One account's view of its server.

    Every method raises Weather (ServerUnreachable, ServerFault, RateLimited) when the server gives
    no usable answer, SessionExpired when the device may not ask any more, another TheirFault when
    the server refuses, and VerificationError (``wire`` or ``parse``) for an answer out of shape.
    """

    def __init__(self, transport: Transport, session: Session) -> None:
        """Takes the connection and the device's session."""
        self.transport = transport
        self.session = session

    def pull(
        self, project: ProjectId, after: Citation, members_after: int = 0
    ) -> PullAnswer | None:
        """Asks for what came after an entry of the push log.

        Args:
            project: the project.
            after: the newest entry that this side has verified; (0, zeros) before the first.
            members_after: how many entries of the membership log it has.

        Returns:
            The answer, unverified, or None if there is nothing new.

        Raises:
            RollbackError: the server knows fewer entries than ``after``.
            ForkError: it has another entry in the place of ``after``.
        """
        query = f"after={after.seq}&hash={after.hash.b64}&members={members_after}"
        call = Call(Operation.PULL, _path(project), query, limit=MAX_ANSWER_BYTES)
        reply = self.call(call)
        if reply.status == 204:
            return None
        self._expect(reply, MEDIA_TYPE)
        return parse_answer(reply.body)

    def push(self, project: ProjectId, entry: PushEntry, packs: Mapping[PackId, bytes]) -> None:
        """Appends a signed entry, in one request as long as its packs fit 8 MiB.

        Larger packs are put before, the smallest ones travel with the entry. Packs that the entry
        lists and ``packs`` lacks are on the server already. Calling it again with the same entry
        after a lost answer is harmless.

        Raises:
            LogMoved: the project's log or the membership moved; holds what this side lacks.
        """
        inline = _inline(packs)
        for pack, data in packs.items():
            if pack not in inline:
                self.put_pack(project, pack, data)
        self._append(Operation.PUSH, project, entry, {pack: packs[pack] for pack in inline})

    def change_branches(
        self, project: ProjectId, entry: PushEntry, packs: Mapping[PackId, bytes] = _NO_PACKS
    ) -> None:
        """Appends an entry that creates or deletes branches, with no packs; raises as `push`."""
        self._append(Operation.BRANCHES_CHANGE, project, entry, packs)

    def revert(self, project: ProjectId, entry: PushEntry, packs: Mapping[PackId, bytes]) -> None:
        """Appends an entry whose one commit restores a known state; raises as `push` does."""
        self._append(Operation.REVERT, project, entry, packs)

    def _append(
        self,
        operation: Operation,
        project: ProjectId,
        entry: PushEntry,
        packs: Mapping[PackId, bytes],
    ) -> None:
        parts = [Part(PartKind.PUSH_ENTRY, entry.encoded)]
        parts += [Part(PartKind.PACK, data) for data in packs.values()]
        post_parts(self, operation, _path(project), parts)

    def branches(self, project: ProjectId) -> RemoteBranches:
        """Asks for the branches of a project, as the server tells them."""
        reply = self.call(Call(Operation.BRANCHES, _path(project), limit=_MAX_LISTING_BYTES))
        return listings.parse_branches(reply.body)

    def put_pack(self, project: ProjectId, pack: PackId, data: bytes) -> None:
        """Stores a pack ahead of its entry; storing it twice is harmless.

        A large one goes straight to the server's storage, where the server names an address there.
        """
        names = {**_path(project), "pack": pack.b64}
        if len(data) <= MAX_SERVED_BYTES or not self._put_directly(names, data):
            self.call(Call(Operation.PACK_PUT, names, body=data, media_type=OCTETS))

    def _put_directly(self, names: Mapping[str, str], data: bytes) -> bool:
        """Stores a pack in the server's storage; tells whether packs may go there at all."""

        def attempt() -> bool:
            size = canonical.encode({"size": len(data)})
            reply = self.call(Call(Operation.PACK_ADDRESS, names, body=size, accept=(404,)))
            if reply.status == 404:
                problem = self.transport.problem(reply)
                if problem.code == Code.NO_DIRECT:
                    return False
                raise self.transport.error(reply)
            if reply.status != 204:
                self.transport.direct.put(UploadAddress.parse(reply.body), data)
            return True

        return _with_another_address(attempt)

    def get_pack(
        self,
        project: ProjectId,
        pack: PackId,
        size: int,
        part: tuple[int, int] | None = None,
    ) -> bytes:
        """Fetches a pack, or a part of it; the caller checks its hash or opens its frames.

        Args:
            project: the project.
            pack: the pack's id.
            size: its size in bytes, as a verified entry lists it.
            part: offset and length of what is wanted, or None for all of it.

        Raises:
            NotFound: the server does not have it.
            VerificationError: layer ``pack``, if it has another size.
        """
        if not 0 < size <= MAX_PACK_BYTES:
            raise VerificationError(Layer.PACK, "a pack is larger than allowed")
        offset, length = part or (0, size)
        headers = {"Range": f"bytes={offset}-{offset + length - 1}"} if part else {}
        names = {**_path(project), "pack": pack.b64}
        call = Call(Operation.PACK_GET, names, headers=headers, limit=size, accept=(307,))
        status, body = _with_another_address(lambda: self._fetch(call))
        if part and status != 206 and len(body) == size:
            body = body[offset : offset + length]
        if len(body) != length:
            raise VerificationError(
                Layer.PACK, f"pack {pack.short} came with {len(body)} bytes instead of {length}"
            )
        return body

    def _fetch(self, call: Call) -> tuple[int, bytes]:
        """Returns the status and the body, from where the server says that they are."""
        reply = self.call(call)
        if reply.status != 307:
            return reply.status, reply.body
        return self.transport.direct.get(reply.location, call.headers, call.limit)

    def projects(self) -> list[RemoteProject]:
        """Asks for the projects of the account."""
        reply = self.call(Call(Operation.PROJECTS, limit=_MAX_LISTING_BYTES))
        return listings.parse_projects(reply.body)

    @property
    def organizations(self) -> OrganizationsApi:
        """What is asked about organizations."""
        return OrganizationsApi(self)

    def devices(self) -> list[RemoteDevice]:
        """Asks for the devices that are logged in to the account."""
        return listings.parse_devices(self.call(Call(Operation.DEVICES)).body)

    def revoke_device(self, device: DeviceId) -> None:
        """Ends the session of a device; raises NotFound if the account has no such device."""
        self.call(Call(Operation.DEVICE_REVOKE, {"device": device.b64}))

    def account(self) -> RemoteAccount:
        """Asks for the account's record, credentials and organizations."""
        return listings.parse_account(self.call(Call(Operation.ACCOUNT)).body)

    def change_credentials(self, credentials: Credentials, proof: ChallengeProof) -> None:
        """Replaces the credentials; the proof answers a challenge, so it is not sent twice."""
        body = canonical.encode({"credentials": credentials.to_json(), "proof": proof.to_json()})
        self.call(Call(Operation.CREDENTIALS_CHANGE, body=body, repeatable=False))

    def change_keys(
        self,
        record: AccountRecord,
        approval: bytes,
        credentials: Credentials,
        proof: ChallengeProof,
    ) -> None:
        """Replaces the account's keys and credentials, and ends the sessions of other devices."""
        body = canonical.encode(
            {
                "record": record.to_json(),
                "approval": b64encode(approval),
                "credentials": credentials.to_json(),
                "proof": proof.to_json(),
            }
        )
        self.call(Call(Operation.KEYS_CHANGE, body=body, repeatable=False))

    def meta(self) -> ServerMeta:
        """Asks the server about itself."""
        return listings.parse_meta(self.transport.call(Call(Operation.META)).body)

    def call(self, call: Call) -> Reply:
        """Makes a request in the name of the account, with a new token where the old one ended."""
        try:
            return self.transport.call(replace(call, token=self.session.token()))
        except SessionExpired as error:
            # The server's clock may run ahead, or it lost the secret that signs its tokens.
            if error.problem in {Code.DEVICE_REVOKED, Code.SIGN_ON_REQUIRED}:
                raise
            return self.transport.call(replace(call, token=self.session.renew()))

    def _expect(self, reply: Reply, media_type: str) -> None:
        if reply.media_type != media_type:
            raise ServerRefused(
                f"{self.transport.address} answers, but not as a sopor server does",
                hint="check the address; a proxy or a login page may be in between",
            )

    def close(self) -> None:
        """Closes the connection."""
        self.transport.close()

    def __repr__(self) -> str:
        return f"Remote({str(self.transport.address)!r})"


def _path(project: ProjectId) -> dict[str, str]:
    return {"project": project.b64}


def _with_another_address(attempt: Callable[[], T]) -> T:
    """Asks for an address once more where it had expired, or was refused for whatever reason."""
    try:
        return attempt()
    except AddressRefused:
        return attempt()


def _inline(packs: Mapping[PackId, bytes]) -> set[PackId]:
    """Returns the packs that travel with the entry: the smallest, as far as they fit."""
    inline: set[PackId] = set()
    left = MAX_INLINE_BYTES
    for pack in sorted(packs, key=lambda pack: len(packs[pack])):
        left -= len(packs[pack])
        if left < 0:
            break
        inline.add(pack)
    return inline
