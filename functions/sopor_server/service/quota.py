"""The limit on what the projects of one organization may store."""

from __future__ import annotations

from sopor_core.wire.problems import Code
from sopor_server.errors import Refused
from sopor_server.ports.records import Organization
from sopor_server.service.context import Context


def check(context: Context, org: Organization, added: int) -> None:
    """Raises Refused (``quota-exceeded``) if the organization may not store ``added`` more bytes.

    Pushes that arrive in the same moment do not see each other, so that the limit may be passed by
    what is under way.
    """
    limit = context.quota_bytes
    if limit and org.bytes + added > limit:
        raise Refused(
            Code.QUOTA_EXCEEDED,
            f"the organization may store {limit} bytes, uses {org.bytes}, and {added} more came",
            hint="ask who runs the server to raise SOPOR_QUOTA_BYTES",
        )
