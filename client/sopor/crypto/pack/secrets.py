"""Says which documents hold secrets and so are stored without compression (SPEC section 7).

Compressed together with text that an attacker chooses, a secret shows in the length. What only
names a secret, as the template ``{{ _.token }}`` does, is none. Unknown members count as secrets:
the list below is of the harmless ones.
"""

from __future__ import annotations

import re

from sopor_core import canonical
from sopor_core.canonical import Json

# On canonical bytes these see keys alone: inside a string every quote is escaped.
_ALWAYS = re.compile(rb'"_type":"(?:environment|cookie_jar)"')
_MAYBE = re.compile(rb'"authentication":(?!\{\}|\[\]|""|null|false)')
_TEMPLATE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
# fmt: off
_HARMLESS = frozenset({
    "type", "grantType", "accessTokenUrl", "authorizationUrl", "redirectUrl", "scope",
    "audience", "resource", "clientId", "key", "addTo", "prefix", "algorithm",
    "signatureMethod", "realm", "region", "service", "usePkce", "pkceMethod", "responseType",
    "credentialsInBody", "origin", "tokenPrefix", "username"
})
# fmt: on


def holds_secrets(document: bytes) -> bool:
    """Tells whether canonical bytes belong in a frame without compression."""
    if _ALWAYS.search(document):
        return True
    return bool(_MAYBE.search(document)) and _in_authentication(canonical.parse_json(document))


def _in_authentication(value: Json) -> bool:
    """Looks for a literal under a member ``authentication``, at whatever depth that is."""
    if isinstance(value, dict):
        return any(
            _is_literal(item) if key == "authentication" else _in_authentication(item)
            for key, item in value.items()
        )
    return isinstance(value, list) and any(map(_in_authentication, value))


def _is_literal(value: Json) -> bool:
    if isinstance(value, dict):
        return any(_is_literal(item) for key, item in value.items() if key not in _HARMLESS)
    if isinstance(value, list):
        return any(map(_is_literal, value))
    if isinstance(value, str):
        return bool(_TEMPLATE.sub("", value).strip())
    return value is not None and not isinstance(value, bool)
