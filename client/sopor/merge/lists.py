"""Merges lists three ways; what to do with single elements is a callback."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias

from sopor.merge.algebra import merge3, merge_maps
from sopor.merge.keys import by_key
from sopor.merge.order import merge_order, weave
from sopor.merge.paths import ElementKey
from sopor.merge.sequences import hunks
from sopor.merge.values import MaybeJson, fingerprint, same_json
from sopor.model.document import Body, Json

MergeKeyed: TypeAlias = Callable[[ElementKey, MaybeJson, MaybeJson, MaybeJson], MaybeJson]
MergePlaced: TypeAlias = Callable[[int, Json, Json, Json], Json]
Stretch: TypeAlias = list[Json]


def merge_keyed(
    lists: tuple[Stretch, Stretch, Stretch], field: str, on_conflict: MergeKeyed
) -> list[Json]:
    """Merges lists (base, ours, theirs) of objects that ``field`` tells apart, and their order."""
    base, ours, theirs = (by_key(each, field) for each in lists)
    if field == "id":
        ours, theirs = _unify(base, ours, theirs), _unify(base, theirs, ours)

    merged = _merge_elements(base, ours, theirs, on_conflict)
    return [merged[key] for key in merge_order([*base], [*ours], [*theirs], merged.keys())]


def _merge_elements(
    base: Mapping[str, Json],
    ours: Mapping[str, Json],
    theirs: Mapping[str, Json],
    on_conflict: MergeKeyed,
) -> dict[str, Json]:
    def clash(key: str, base: MaybeJson, ours: MaybeJson, theirs: MaybeJson) -> MaybeJson:
        return on_conflict(ElementKey(key), base, ours, theirs)

    return merge_maps(base, ours, theirs, on_conflict=clash, same=same_json)


def _unify(base: dict[str, Body], side: dict[str, Body], other: dict[str, Body]) -> dict[str, Body]:
    """Gives what both sides added alike, but for the id, the smaller of both ids."""
    alike = {
        fingerprint({**element, "id": None}): key
        for key, element in other.items()
        if key not in base and key not in side
    }
    unified = {}
    for key, element in side.items():
        twin = None
        if key not in base and key not in other:
            twin = alike.pop(fingerprint({**element, "id": None}), None)
        smaller = min(key, twin or key)
        unified[smaller] = {**element, "id": smaller} if twin else element
    return unified


def merge_names(base: Stretch, ours: Stretch, theirs: Stretch) -> Stretch | None:
    """Merges lists of different strings that say an order; returns ``None`` for other lists.

    Never conflicts: what a side removed is gone, what a side added stays, and both orders count.
    """
    if not all(_are_names(each) for each in (base, ours, theirs)):
        return None
    old, left, right = ([str(name) for name in each] for each in (base, ours, theirs))
    kept = {name for name in {*left, *right} if name not in old or (name in left and name in right)}
    return list[Json](merge_order(old, left, right, kept))


def merge_plain(
    base: Stretch, ours: Stretch, theirs: Stretch, merge_element: MergePlaced
) -> Stretch | None:
    """Merges lists whose elements have no keys; returns ``None`` if that is not possible.

    Stretches that both sides changed merge if both only added strings, none of which comes twice,
    or if they are equally many objects (or lists), which then merge place by place:
    ``merge_element(place, base, ours, theirs)`` gives the element for a place of the result.
    """
    names = all(_are_names(each) for each in (base, ours, theirs))
    prints = [[fingerprint(element) for element in each] for each in (base, ours, theirs)]
    result: Stretch = []
    for hunk in hunks(*prints):
        clash = partial(_merge_stretch, names, len(result), merge_element)
        stretches: list[Stretch | None] = [
            base[hunk.base.start : hunk.base.stop],
            ours[hunk.ours.start : hunk.ours.stop],
            theirs[hunk.theirs.start : hunk.theirs.stop],
        ]
        merged = merge3(*stretches, on_conflict=clash, same=same_json)
        if merged is None:
            return None
        result += merged
    return result if not names or _are_names(result) else None


def _are_names(elements: Stretch) -> bool:
    """Tells whether a list holds different strings, as a list of keys or tags does."""
    texts = {element for element in elements if isinstance(element, str) and element}
    return len(texts) == len(elements)


def _merge_stretch(
    names: bool,
    place: int,
    merge_element: MergePlaced,
    base: Stretch | None,
    ours: Stretch | None,
    theirs: Stretch | None,
) -> Stretch | None:
    if base is None or ours is None or theirs is None:
        return None
    if names and not base:
        return [*weave([str(name) for name in ours], [str(name) for name in theirs])]
    if len(base) == len(ours) == len(theirs):
        triples = list(zip(base, ours, theirs, strict=True))
        if all(_are_containers(triple) for triple in triples):
            return [merge_element(place + at, *triple) for at, triple in enumerate(triples)]
    return None


def _are_containers(values: tuple[Json, ...]) -> bool:
    return any(all(isinstance(value, kind) for value in values) for kind in (dict, list))
