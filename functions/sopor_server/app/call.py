"""One request, read strictly and no earlier than needed: who asks first, the body after that."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request

from sopor_core import canonical
from sopor_core.errors import VerificationError
from sopor_core.ids import Id
from sopor_core.limits import MAX_LISTED_PACKS, MAX_TIME
from sopor_core.wire.parts import Part, split_parts
from sopor_core.wire.problems import Code
from sopor_core.wire.routes import Route
from sopor_server.auth import Caller, expiry_of, read_access_token
from sopor_server.errors import Refused, malformed, not_found
from sopor_server.service.context import Context

if TYPE_CHECKING:
    from pydantic import BaseModel

T = TypeVar("T", bound=Id)
M = TypeVar("M", bound="BaseModel")
READ_TO_ITS_END = "sopor.body_read_to_its_end"
_MOST_PARTS = 1 + MAX_LISTED_PACKS
_NUMBER = re.compile(r"0|[1-9][0-9]{0,15}")


class Call:
    """A request to one route. Every method raises Refused where the request is not as it must be.

    ``address`` is the client's, for throttling only.
    """

    def __init__(
        self, context: Context, request: Request, route: Route, names: dict[str, str], address: str
    ) -> None:
        self.context = context
        self.request = request
        self.route = route
        self.address = address
        self._names = names
        self._caller: Caller | None = None
        self.expires = 0
        """When the access token expires, after `authenticate`; in milliseconds."""

    @property
    def caller(self) -> Caller:
        """Who asks, after `authenticate`."""
        if self._caller is None:
            raise RuntimeError("a route that needs no token asks for its caller")
        return self._caller

    def authenticate(self) -> None:
        """Reads the access token."""
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refused(
                Code.UNAUTHENTICATED,
                "the request has no access token",
                hint="send `Authorization: Bearer <access token>`; `sopor login` gets one",
            )
        token = token.strip()
        self._caller = read_access_token(self.context.server, token, self.context.now())
        self.expires = expiry_of(token)

    def id(self, name: str, kind: type[T]) -> T:
        """Returns an id in the path; whatever cannot be an id is not found."""
        try:
            return kind.from_b64(self._names[name])
        except VerificationError:
            raise not_found(name) from None

    def query(self, allowed: Collection[str]) -> dict[str, str]:
        """Returns the query's members, each of which may come once."""
        members = self.request.args
        unknown = members.keys() - set(allowed)
        if unknown or len(members) != len(list(members.items(multi=True))):
            raise malformed(
                "the query has members that are unknown or come twice",
                f"use {', '.join(sorted(allowed)) or 'none'}",
            )
        return members.to_dict()

    def body(self, limit: int) -> bytes:
        """Reads the body, at most ``limit`` bytes of it."""
        chunks, left = [], limit + 1
        try:
            while left > 0 and (chunk := self.request.stream.read(min(left, 1 << 20))):
                chunks.append(chunk)
                left -= len(chunk)
        except (HTTPException, OSError):
            raise malformed("the body ends too early", "send it again") from None
        if left <= 0:
            raise too_large(limit)
        self.request.environ[READ_TO_ITS_END] = True
        return b"".join(chunks)

    def json(self, model: type[M], limit: int) -> M:
        """Reads a JSON body; unknown members and double ones are refused."""
        from pydantic import ValidationError

        try:
            return model.model_validate(canonical.parse_json(self.body(limit)))
        except VerificationError as error:
            raise malformed(error.detail) from None
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise malformed(f"{where or 'the body'}: {first['msg'].lower()}") from None

    def parts(self, limit: int) -> Sequence[Part]:
        """Reads a body of parts."""
        try:
            parts = list(islice(split_parts(self.body(limit)), _MOST_PARTS + 1))
        except VerificationError as error:
            raise malformed(error.detail) from None
        if len(parts) > _MOST_PARTS:
            raise malformed(f"the body has more than {_MOST_PARTS} parts")
        return parts


def number(text: str) -> int:
    """Returns a number in a query; raises Refused (``malformed``)."""
    if not _NUMBER.fullmatch(text) or int(text) > MAX_TIME:
        raise malformed("a number in the query is none", "use decimal digits")
    return int(text)


def too_large(limit: int) -> Refused:
    """Returns the answer to a body over its limit."""
    return Refused(
        Code.TOO_LARGE,
        f"the body is larger than the {limit} bytes that are allowed here",
        hint="put large packs one by one, then push the entry" if limit else "send no body here",
    )
