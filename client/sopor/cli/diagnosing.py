"""What `doctor` and `bug-report` share: what is to be examined, without asking anybody anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sopor.cli.asking import PASSWORD_FILE
from sopor.cli.session import Session, current_folder

if TYPE_CHECKING:
    from sopor.diagnosis.scope import Scope


@contextmanager
def examined(session: Session, *, offline: bool) -> Iterator[Scope]:
    """Gives what there is to examine here; passwords are used where they lie ready."""
    from sopor.diagnosis.scope import Scope
    from sopor.keystore import Keystore, NoPasswords

    asking = session.asking
    ready = asking.from_stdin or asking.has_file(PASSWORD_FILE)
    scope = Scope(
        current_folder(),
        Keystore(),
        asking if ready else NoPasswords(),
        offline=offline,
        progress=session.console.progress,
    )
    try:
        yield scope
    finally:
        scope.close()
