"""The names that people give: branches, projects, logins (SPEC sections 6 and 9)."""

from __future__ import annotations

import re
import unicodedata

from sopor_core.errors import InvalidValue
from sopor_core.limits import MAX_NAME_BYTES

_BRANCH_REFUSED = re.compile(
    r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|$)|\.$|/$|^/|^\.|^-"
)
_LOGIN = re.compile(r"[a-z0-9._+@-]{1,128}")


def check_branch_name(name: str) -> str:
    """Returns the name if it follows the rules of ``git check-ref-format --branch``.

    Raises:
        InvalidValue: saying the rule.
    """
    if name in ("", "@", "HEAD") or _BRANCH_REFUSED.search(name) or _too_long(name):
        raise InvalidValue(
            f"{name!r} is not a branch name",
            hint="use letters, digits, '-', '_', '.' and '/' inside; no spaces, no '..', "
            "no leading '-' or '.', no ending '.lock', at most 250 bytes",
        )
    return name


def check_project_name(name: str) -> str:
    """Returns the name if it is 1 to 250 bytes without control characters; else InvalidValue."""
    return _check_name(name, "a project name")


def check_organization_name(name: str) -> str:
    """Returns the name by the rules of projects' names; raises InvalidValue."""
    return _check_name(name, "an organization name")


def _check_name(name: str, what: str) -> str:
    controls = any(unicodedata.category(character) in ("Cc", "Cs") for character in name)
    if not name.strip() or controls or _too_long(name):
        raise InvalidValue(
            f"{name!r} is not {what}",
            hint="use 1 to 250 bytes of text without control characters",
        )
    return name


def normalize_login(login: str) -> str:
    """Returns the login name in lower case; raises InvalidValue for a name that is not allowed."""
    lowered = login.strip().lower()
    if not _LOGIN.fullmatch(lowered):
        raise InvalidValue(
            f"{login!r} is not a login name",
            hint="use 1 to 128 of a-z, 0-9, '.', '_', '+', '-' and '@', such as an e-mail address",
        )
    return lowered


def _too_long(name: str) -> bool:
    return len(name.encode("utf-8", "surrogatepass")) > MAX_NAME_BYTES
