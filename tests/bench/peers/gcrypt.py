"""git-remote-gcrypt over smart HTTP: whole repositories, encrypted with GnuPG."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.peers import Kind, Run
from tests.bench.peers.git import Git, configure, served_git

_PERSON = "ada@example.com"


class Gcrypt(Git):
    """Git whose remote is a repository with one encrypted branch."""

    def address(self, project: str) -> str:
        """The address of a project."""
        return f"gcrypt::{super().address(project)}"


@contextmanager
def _keys() -> Iterator[str]:
    """Yields a GnuPG home with one key; its path is short, for the sake of the agent's socket."""
    with tempfile.TemporaryDirectory(prefix="gpg") as home:
        environment = {"GNUPGHOME": home, "PATH": "/usr/bin:/bin"}
        make = ["gpg", "--batch", "--quiet", "--passphrase", "", "--quick-gen-key", _PERSON]
        try:
            subprocess.run([*make, "default", "default", "never"], env=environment, check=True)
            yield home
        finally:
            subprocess.run(["gpgconf", "--kill", "all"], env=environment, check=False)


@contextmanager
def _opened(root: Path, run: Run) -> Iterator[Gcrypt]:
    with _keys() as home, served_git(root, run, GNUPGHOME=home) as git:
        config = {
            "gcrypt.participants": _PERSON,
            "gcrypt.require-explicit-force-push": "false",
            "user.signingkey": _PERSON,
        }
        for device in (git.laptop, git.desktop):
            configure(device, config)
        yield Gcrypt(git.proxy, run, git.served, git.laptop, git.desktop)


KIND = Kind(
    "git-remote-gcrypt",
    encrypted=True,
    slow=True,
    programs=("git", "git-remote-gcrypt", "gpg"),
    opened=_opened,
)
