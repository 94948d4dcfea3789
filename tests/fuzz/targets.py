"""What is fuzzed: one row for each reader of bytes that others may have made.

A target takes any bytes and either returns or fails; to refuse them by the error that the reader
documents is to return. To add one, put a row into `TARGETS` or one of the modules that it is made
of and, if the branches of its package do not guide the fuzzer yet, the name of that into
`INSTRUMENTED` of the harness.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from sopor.formats import FORMATS, Format, FormatError
from tests.fuzz.accounts import accounts
from tests.fuzz.logs import logs
from tests.fuzz.packs import packs
from tests.fuzz.serving import serving
from tests.fuzz.target import Target
from tests.fuzz.wire import wire
from tests.properties.test_format_faults import FILES, PATHS, assert_survives
from tests.properties.test_imports import (
    NEDB,
    OPENAPI,
    POSTMAN,
    check,
    encoded,
    import_json,
    import_nedb,
    import_yaml,
)

FOUND = Path(__file__).parent / "found"
"""Input that once made a target fail, in a folder for each; every test run tries all of it."""


def read_file(form: Format, path: str, data: bytes) -> None:
    """Reads a file in one format; what could be read has to survive being written."""
    for each in FORMATS:
        each.recognises(path, data)
    try:
        content = form.read(data, path)
    except FormatError:
        return
    assert_survives(form, path, content, data)


def _formats() -> Iterator[tuple[str, Target]]:
    for form, path in zip(FORMATS, PATHS, strict=True):
        yield form.name, Target(partial(read_file, form, path), [FILES[form]])


TARGETS: Mapping[str, Target] = {
    **dict(_formats()),
    "import.json": Target(partial(check, import_json), [encoded(POSTMAN), encoded(OPENAPI)]),
    "import.yaml": Target(partial(check, import_yaml), [encoded(OPENAPI)]),
    "import.nedb": Target(partial(check, import_nedb), [encoded(NEDB)]),
    **packs(),
    **logs(),
    **wire(),
    **accounts(),
    **serving(),
}


def seeds(name: str) -> Iterator[bytes]:
    """Yields the input that a target begins with: whole files, and what was found before."""
    yield from TARGETS[name].whole
    for path in sorted((FOUND / name).glob("*")):
        yield path.read_bytes()
