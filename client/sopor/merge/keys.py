"""Finds what tells the elements of a list apart: headers have names, parameters ids or names."""

from __future__ import annotations

from sopor.model.document import Body, Json

KEY_FIELDS = ("id", "name")


def key_field(*lists: list[Json]) -> str | None:
    """Returns the field that identifies the elements of all these lists, if one does.

    It is ``id``, else ``name``: a string that every element has, none of them twice in one list.
    """
    return next((field for field in KEY_FIELDS if all(_keyed(each, field) for each in lists)), None)


def by_key(elements: list[Json], field: str) -> dict[str, Body]:
    """Returns the elements under their keys, in their order.

    ``field`` comes from `key_field`, which has seen these elements.
    """
    return {str(element[field]): element for element in elements if isinstance(element, dict)}


def _keyed(elements: list[Json], field: str) -> bool:
    keys = [element.get(field) for element in elements if isinstance(element, dict)]
    names = {key for key in keys if isinstance(key, str) and key}
    return len(names) == len(elements)
