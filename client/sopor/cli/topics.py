"""What `sopor help TOPIC` explains beside the commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sopor.cli import exit_codes

_REVISIONS = """\
A revision names a commit:

  HEAD            the commit that the working copy is on; @ is the same
  main            a branch
  remote/main     a branch of the server, as of the last fetch
  3f2a91bc        the start of a commit's id, at least four digits
  main~3          three commits before, along first parents
  HEAD^2          the second parent of a merge
  A..B            for `sopor diff`: from A to B

Where revisions and documents may follow each other, revisions come first; `--` ends them.
"""
_DOCUMENTS = """\
A document is named by

  its id          req_0a1b2c, or the start of it where no other document has it
  its name        "List pets", where no other document has it
  its file        petstore.yaml: all documents of that file; paths as in the shell
  .               in the working copy's own folder: everything
"""
_ENVIRONMENT = """\
  SOPOR_HOME               folder of keys and settings of this device
  SOPOR_PASSWORD_FILE      file that holds the account's password
  SOPOR_NEW_PASSWORD_FILE  file that holds the new password, for passwd and recover
  SOPOR_SECRET_KEY_FILE    file that holds the secret key, or the recovery kit, for login
  SOPOR_RECOVERY_KEY_FILE  file that holds the recovery key, or the kit, for recover
  SOPOR_INVITE_CODE_FILE   file that holds an invite code, for `sopor org join`
  SOPOR_DEBUG=1            print a traceback when something fails
  NO_COLOR                 if not empty, no colours unless --color always
  VISUAL, EDITOR           the editor for messages; the setting `editor` comes before
"""
_MERGING = """\
Two versions of a document merge field by field. Where both changed one field differently:

  objects                 merge key by key
  headers, parameters     and other lists of objects: matched by id, else by name, else by place;
                          their order merges as well
  names, descriptions     and titles and summaries: by words, with at least one word as it was
                          between two changes
  texts of several lines  scripts, bodies: by lines, with at least one line as it was between two
                          changes; what was JSON stays JSON
  design documents        by what they mean, keeping comments, if they parse; else by lines
  sort keys and times     never conflict: the larger one stays
  all else                is a conflict: addresses, tokens, header values and numbers are never put
                          together from two

Between documents: what one deleted and the other edited is a conflict; a folder that one deleted
stays while the other has something new in it. `sopor resolve` lists, shows and settles conflicts.
"""
_SCRIPTS = """\
Secrets never are arguments. They come from files that the environment names (see `sopor help
environment`) or, with --password-stdin, from stdin: one a line, the old password before the new.
An invite code comes from stdin with --code-stdin, on a line before them.

  --json       one JSON document on stdout; ids are hexadecimal, times are ISO 8601 in UTC.
               Errors are one line on stderr:
               {"error": {"code": ..., "message": ..., "hint": ..., "exit_code": ...}}
  --no-input   never asks: what would be asked is an error with exit code 13
  --quiet      prints no notes, and of commands that change something no result

Exit codes are in `sopor help exit-codes`. A merge that stops at conflicts prints its result and
exits with 4.
"""
_TROUBLE = """\
When something does not work:

  sopor doctor      checks versions, clock, disk, keystore, server, and this working copy; says what
                    to do about each thing that it finds; changes nothing; exits with 1 if something
                    is wrong
  sopor fsck        verifies everything that this working copy holds, and deletes leftovers
  sopor clone       to another folder brings back all that was pushed; keep the old folder until
                    nothing in it is missed
  sopor repair      publishes again what a server lost that was restored from a backup; where the
                    histories differ, it shows both and changes neither
  sopor bug-report  writes a file for who helps you: versions, checks, counts, and where the last
                    error arose; no keys, no contents, no names

A command that was interrupted is ended by the next one. A server that shows an older or another
history than before is refused, and nothing here changes.
"""

TOPICS: Mapping[str, tuple[str, str]] = {
    "documents": ("how documents are named", _DOCUMENTS),
    "environment": ("the variables that sopor reads", _ENVIRONMENT),
    "exit-codes": ("what each exit code means", "\n".join(exit_codes.text_table()) + "\n"),
    "merging": ("what merges, and what is a conflict", _MERGING),
    "revisions": ("how commits are named", _REVISIONS),
    "scripts": ("secrets, JSON and errors in scripts", _SCRIPTS),
    "trouble": ("what to do when something does not work", _TROUBLE),
}
"""The topics: a line about each, and its text."""


def overview() -> Sequence[str]:
    """Returns the list of topics as lines."""
    width = max(map(len, TOPICS))
    return [f"  {name:{width}}  {summary}" for name, (summary, _) in TOPICS.items()]
