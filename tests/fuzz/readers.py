"""Feeds every reader with mutated files, guided by coverage.

    pip install atheris
    python tests/fuzz/readers.py FOLDER -max_total_time=600

FOLDER keeps what was found; the whole files of the property tests are put into it first. A reader
has to refuse a file by `FormatError` or to read it, and then to write it back byte for byte.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

_ENGINE: Any = import_module("atheris")
with _ENGINE.instrument_imports(include=["sopor.formats"]):
    from sopor.formats import FORMATS, FormatError
    from sopor.formats.imports import import_file
    from sopor.formats.imports.nedb import import_data_folder
    from tests.properties.test_format_faults import FILES, PATHS
    from tests.properties.test_imports import NEDB, OPENAPI, POSTMAN, encoded

_IMPORTS = ("a.json", "a.yaml")


def read_one(data: bytes) -> None:
    """Reads one file; its first byte says by which reader."""
    if not data:
        return
    number, data = data[0] % (len(FORMATS) + len(_IMPORTS) + 1), data[1:]
    try:
        if number < len(FORMATS):
            form, path = FORMATS[number], PATHS[number]
            form.recognises(path, data)
            content = form.read(data, path)
            assert form.write(content.record, content.documents, content.local, data) == data
        elif number < len(FORMATS) + len(_IMPORTS):
            import_file(data, _IMPORTS[number - len(FORMATS)])
        else:
            import_data_folder({"insomnia.X.db": data})
    except FormatError:
        pass  # refused, as it may be


def put_seeds(folder: Path) -> None:
    """Writes whole files to begin with."""
    folder.mkdir(parents=True, exist_ok=True)
    seeds = list(enumerate(FILES.values()))
    last = len(FORMATS)
    seeds += [(last, encoded(POSTMAN)), (last, encoded(OPENAPI)), (last + 1, encoded(OPENAPI))]
    seeds.append((last + len(_IMPORTS), encoded(NEDB)))
    for place, (number, data) in enumerate(seeds):
        (folder / f"seed-{place}").write_bytes(bytes([number]) + data)


if __name__ == "__main__":
    put_seeds(Path(sys.argv[1]))
    _ENGINE.Setup(sys.argv, read_one)
    _ENGINE.Fuzz()
