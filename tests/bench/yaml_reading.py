"""Prints how long readers of YAML take for a v5 file of 1 MB and for one of 17 MB, and writing it.

Compared are our reader (libyaml's events, checked and built into JSON), libyaml's events alone, and
PyYAML's C loader, which also reads YAML 1.1 and checks nothing. ``shared/adr/0008`` has the numbers
that decided.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sopor.formats.converting import Target, convert
from sopor.formats.yaml_read import parse_yaml
from sopor.formats.yaml_write import emit_yaml
from sopor.model.document import Document, DocumentId, Json

_MEGABYTE = 1_000_000


def v5_file(size: int) -> str:
    """Returns a v5 file of about so many bytes."""
    made = [Document(DocumentId("wrk_1"), "workspace", {"_id": "wrk_1", "_type": "workspace"})]
    for number in range(size // 960):
        identity = DocumentId(f"req_{number:08}")
        headers: list[Json] = [{"name": f"X-{each}", "value": "v" * 40} for each in range(6)]
        body: dict[str, Json] = {
            "_id": identity,
            "_type": "request",
            "parentId": "wrk_1",
            "name": f"Request {number}",
            "url": "{{ _.base_url }}/pets",
            "headers": headers,
            "body": {"mimeType": "application/json", "text": '{\n  "a": "' + "b" * 300 + '"\n}'},
            "metaSortKey": number,
        }
        made.append(Document(identity, "request", body))
    (data,) = convert(made, Target.V5, "bench.yaml").files.values()
    return data.decode()


def events(text: str) -> None:
    """Reads libyaml's events and keeps nothing."""
    for _ in yaml.parse(text, yaml.CSafeLoader):
        pass


READERS: Mapping[str, Callable[[str], object]] = {
    "sopor.formats.yaml_read": parse_yaml,
    "libyaml's events alone": events,
    "PyYAML CSafeLoader": lambda text: yaml.load(text, yaml.CSafeLoader),
}


def seconds(call: Callable[[], object]) -> float:
    """Returns how long a call takes."""
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, nargs="+", default=[1, 17])
    for size in parser.parse_args().megabytes:
        text = v5_file(size * _MEGABYTE)
        value = parse_yaml(text)
        print(f"{len(text) / _MEGABYTE:.1f} MB, {text.count(chr(10)):,} lines")
        for name, reader in READERS.items():
            print(f"  {name:28} {seconds(partial(reader, text)):6.2f} s")
        print(f"  {'sopor.formats.yaml_write':28} {seconds(partial(emit_yaml, value)):6.2f} s")


if __name__ == "__main__":
    main()
