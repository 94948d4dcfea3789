"""Which commands there are: their names, in groups, with one line each for the help.

A command ``some-name`` is `command` in ``sopor.cli.commands.some_name``.
"""

from __future__ import annotations

from collections.abc import Mapping

SECTIONS: Mapping[str, Mapping[str, str]] = {
    "Start": {
        "init": "put the files of a folder under version control",
        "clone": "copy a project from the server",
        "projects": "list the projects that you have access to",
    },
    "Work": {
        "status": "show the branch, what changed, and what is in conflict",
        "diff": "show what differs, field by field",
        "commit": "keep the changes of all or of some documents",
        "restore": "bring documents back from a commit",
    },
    "Files": {
        "import": "bring in files of Insomnia, Postman and OpenAPI",
        "export": "write a commit as files of Insomnia's",
    },
    "Look back and undo": {
        "log": "list commits, or draw them as a graph",
        "show": "show one commit, or a document as it was then",
        "blame": "tell who last changed each field of a document, and when",
        "revert": "undo a commit, or go back to one, by a new commit",
    },
    "Branch and merge": {
        "branch": "list, create, rename and delete branches",
        "switch": "go to another branch",
        "merge": "bring another branch's commits into this one",
        "resolve": "look at conflicts and settle them",
    },
    "Share": {
        "sync": "pull, then push",
        "watch": "keep in step with others as they push, and push what is edited",
        "pull": "fetch, and bring what is new into the branch",
        "push": "publish commits",
        "fetch": "get what is new, and change no branch and no file",
        "who": "list who works on which branch, of those who tell it",
    },
    "Team": {
        "org": "found teams; invite, promote, verify and remove members",
        "project": "create, share, archive and delete projects; show their signed logs",
        "rotate": "make new keys for projects",
    },
    "Account": {
        "register": "create an account and its recovery kit",
        "login": "use an account on this device",
        "logout": "end the session and forget the account here",
        "whoami": "show the accounts of this device",
        "devices": "list the devices of the account, or revoke one",
        "passwd": "change the password",
        "rekey": "replace all your keys after a device was lost",
        "recover": "set a new password with the recovery kit",
    },
    "Tools": {
        "config": "read and change settings",
        "fsck": "verify everything that is stored here",
        "doctor": "check this device, this working copy and their server",
        "repair": "bring a server forward that was restored from a backup",
        "bug-report": "write a file for a bug report, with no secret in it",
        "serve": "run a server on this machine",
        "completion": "print the completion script of a shell",
        "help": "explain a command or a topic",
    },
}

COMMANDS: Mapping[str, str] = {
    name: summary for section in SECTIONS.values() for name, summary in section.items()
}

HABITS: Mapping[str, str] = {
    "add": "nothing is staged here: name documents after `sopor commit`",
    "amend": "commits stay as they are: make another one, or `sopor revert`",
    "checkout": "use `sopor switch` for branches and `sopor restore` for documents",
    "cherry-pick": "use `sopor merge`, or `sopor restore --source`",
    "rebase": "use `sopor pull`, which merges",
    "remote": "use `sopor config server`; `sopor push` publishes a project",
    "reset": "use `sopor restore` to discard changes, `sopor revert --to` to go back",
    "rm": "delete the document in its file, then run `sopor commit`",
    "stash": "commit on a branch of its own: `sopor switch -c`",
    "tag": "use a branch: `sopor branch NAME COMMIT`",
}
"""What to say to fingers that know git."""
