"""The folder where a device keeps what it verified of one account's organizations, and its notes.

A note is a small file with a map from ids to what is noted of each, in canonical JSON; it is
replaced as a whole, under the lock of the folder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

from sopor.disk import exclusive, make_private_folder, read_private, write_private
from sopor.errors import DamagedStore
from sopor_core import canonical
from sopor_core.canonical import Json
from sopor_core.errors import VerificationError
from sopor_core.fields import Fields
from sopor_core.ids import AccountId, Id

K = TypeVar("K", bound=Id)
V = TypeVar("V")


def folder_of(home: Path, account: AccountId) -> Path:
    """Returns the folder of an account's organizations; ``home`` is that of the keystore."""
    return home / "organizations" / account.hex()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds the lock of a folder, which is created; raises Busy, DiskFull."""
    make_private_folder(folder)
    with exclusive(folder / "lock", "what this device verified of organizations"):
        yield


class Note(Generic[K, V]):
    """One note file; ``member`` is where its JSON form has the map."""

    def __init__(
        self,
        path: Path,
        member: str,
        parse: Callable[[Json], dict[K, V]],
        write: Callable[[V], Json],
        mend: str,
    ) -> None:
        """Takes the forms of the map's values, and the hint for a file that does not read back."""
        self._path = path
        self._member = member
        self._parse = parse
        self._write = write
        self._mend = mend

    def read(self) -> Mapping[K, V]:
        """Returns what is noted; raises DamagedStore."""
        data = read_private(self._path)
        if data is None:
            return {}
        try:
            fields = Fields(canonical.decode(data), "the note")
            fields.version()
            found = self._parse(fields.mapping(self._member))
            fields.end()
        except VerificationError as error:
            raise DamagedStore(
                f"{self._path} does not read back ({error.detail})", hint=self._mend
            ) from None
        return found

    def put(self, key: K, value: V, *, durable: bool) -> None:
        """Notes a value under a key; called with the folder locked."""
        known = {**self.read(), key: value}
        content: dict[str, Json] = {key.b64: self._write(known[key]) for key in known}
        data = canonical.encode({"v": 1, self._member: content})
        write_private(self._path, data, durable=durable)
