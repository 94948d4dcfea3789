"""Every vector, on the code of Sopor; and the vectors, against what makes them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sopor_core.errors import InvalidValue, VerificationError
from tests.vectors.generate import FILES, HERE, text_of
from tests.vectors.players import PLAYERS


def _vectors() -> list[Any]:
    found = []
    for name in FILES:
        content = json.loads((HERE / f"{name}.json").read_text("ascii"))
        for vector in content["vectors"]:
            whole = content["common"] | vector
            found.append(pytest.param(name, whole, id=f"{name}: {vector['name']}"))
    return found


@pytest.mark.parametrize(("name", "vector"), _vectors())
def test_vector(name: str, vector: dict[str, Any]) -> None:
    play = PLAYERS[name]
    if "layer" in vector:
        with pytest.raises(VerificationError) as refused:
            play(vector)
        assert refused.value.layer == vector["layer"], refused.value
    elif "error" in vector:
        with pytest.raises(InvalidValue) as invalid:
            play(vector)
        assert invalid.value.code == vector["error"]
    else:
        play(vector)


@pytest.mark.parametrize("name", FILES)
def test_vectors_are_what_the_generator_makes(name: str) -> None:
    assert (HERE / f"{name}.json").read_text("ascii") == text_of(name)


def test_no_file_of_vectors_is_left_out() -> None:
    assert {path.stem for path in HERE.glob("*.json")} == set(FILES) == set(PLAYERS)
