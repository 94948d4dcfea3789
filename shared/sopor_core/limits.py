"""The limits of the formats (SPEC), shared by both sides."""

from __future__ import annotations

MIB = 1024 * 1024

MAX_DOCUMENT_BYTES = 16 * MIB
MAX_FRAME_BYTES = MIB
"""A frame inflates to at most this, or to one object where that is larger."""
MAX_INFLATED_FRAME_BYTES = 17 * MIB
MAX_INDEX_BYTES = 64 * MIB
MAX_PACK_BYTES = 24 * MIB
MAX_INLINE_BYTES = 8 * MIB
"""The most bytes of packs that one push or pull carries in its own body."""
MAX_SERVED_BYTES = MIB
"""The most bytes of a pack that a server always sends itself; more may come from its storage."""
MAX_MESSAGE_BYTES = 64 * 1024
MAX_AUTHOR_BYTES = 200
MAX_NAME_BYTES = 250
MAX_SEATS = 1000
"""The most members and open invites of an organization together."""
MAX_WRAPS = 50_000
"""The most that seats plus 3, times scopes, may be: a removal still fits in one entry."""
MAX_PARENTS = 8
MAX_OPS = 64
MAX_LISTED_COMMITS = 4096
MAX_LISTED_PACKS = 64
MAX_BASE_CHAIN = 16
MAX_ENTRY_BYTES = 2 * MIB
MAX_MEMBERSHIP_ENTRY_BYTES = 8 * MIB
"""What a removal takes that makes a new epoch of 200 projects for 200 members."""
MAX_TIME = 2**53 - 1
