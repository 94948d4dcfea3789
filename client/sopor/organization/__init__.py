"""Organizations: members, roles, invites and keys, verified from the signed log (SPEC 8.2).

`organization` holds one of them, `drafting` makes entries, `managing` is what people ask for,
`settling` what a client does by itself, `describing` tells it in words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sopor.lazy import lazy_names

if TYPE_CHECKING:
    from sopor.organization.finding import find_organization, organizations
    from sopor.organization.organization import Organization, check_own_place
else:
    __getattr__ = lazy_names(
        __name__,
        finding=["find_organization", "organizations"],
        organization=["Organization", "check_own_place"],
    )

__all__ = ["Organization", "check_own_place", "find_organization", "organizations"]
