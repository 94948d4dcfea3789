"""Three people and their teams: what each command of organizations says, and what it refuses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from tests.support.canaries import text_spellings
from tests.support.people import Person, start
from tests.support.server import RunningServer, running_server
from tests.support.terminal import Answer, Terminal

_TEAMS = count(1)
CODE = re.compile(r"INV1(-[0-9A-HJKMNP-TV-Z]{4}){30}")


@dataclass
class Crew:
    """Ada, who founds a team in each story, and two others; one device each."""

    url: str
    ada: Terminal
    bob: Terminal
    eve: Terminal
    names: dict[str, str]

    def team(self) -> str:
        """Founds a team of Ada's and returns its name."""
        name = f"Team {next(_TEAMS)}"
        self.ada(f"sopor org create '{name}'")
        return name

    def invite(self, team: str, options: str = "") -> str:
        """Returns a new invite code of Ada's."""
        return self.ada(f"sopor org invite --org '{team}' {options} -q").out.strip()

    def join(self, who: Terminal, invite: str, code: int = 0) -> Answer:
        """Lets somebody use an invite code, given in a file."""
        file = who.write("code.txt", f"{invite}\n")
        return who("sopor org join", env={"SOPOR_INVITE_CODE_FILE": str(file)}, code=code)


@pytest.fixture(scope="module")
def crew(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Crew:
    """Three people with accounts at the same server."""
    root = tmp_path_factory.mktemp("crew")
    people = {
        name: Person(root / name, server.url, f"{name}-{root.name.lower()}@example.com")
        for name in ("ada", "bob", "eve")
    }
    ada, bob, eve = (person.device("laptop") for person in people.values())
    names = {name: person.login for name, person in people.items()}
    return Crew(server.url, ada, bob, eve, names)


def test_from_nothing_to_a_team_of_two(server: RunningServer, tmp_path: Path) -> None:
    ada = Person(tmp_path / "ada", server.url).device("laptop")
    bobby = Person(tmp_path / "bob", server.url, "bobby@example.com")
    bob = bobby.device("laptop")
    nothing = ada("sopor org show", code=3)
    assert "you are not a member of a team" in nothing.err
    assert "sopor org create NAME" in nothing.err
    assert "1 member, 0 projects" in ada("sopor org").out, "one's own"

    made = ada("sopor org create ' Acme '")
    assert re.fullmatch(r"Founded Acme \([0-9a-f]{10}\)\n", made.out)
    assert "the log has 1 signed entry" in ada("sopor org show").out
    invited = ada("sopor org invite --role viewer --days 2")
    code = invited.out.strip()
    assert CODE.fullmatch(code)
    assert "to join Acme as viewer, until 20" in invited.err
    (invite,) = ada("sopor org show --json").json["invites"]
    assert f"`sopor org cancel {invite['id'][:10]}`" in invited.err
    assert (invite["role"], invite["expired"]) == ("viewer", False)

    joined = bob("sopor org join --code-stdin", stdin=f"{code.lower()}\n")
    assert joined.out == "Joined Acme as viewer\n"
    members = ada("sopor org members --json").json
    assert [(member["role"], member["you"]) for member in members] == [
        ("owner", True),
        ("viewer", False),
    ]
    assert bob("sopor org").lines[0].startswith("Acme ")
    assert ada("sopor org role BOBBY@Example.com editor").out == "Made bobby@example.com editor\n"
    for almost in ("bobby", "boby@example.com"):
        mistaken = ada(f"sopor org role {almost} viewer", code=3)
        assert "did you mean bobby@example.com?" in mistaken.err
    assert "is editor already" in ada("sopor org role bobby@example.com editor", code=4).err


def test_codes_that_do_not_work(crew: Crew, tmp_path: Path) -> None:
    team = crew.team()
    code = crew.invite(team)
    typed = "A" if code[31] != "A" else "B"
    for wrong, said in (
        ("hello there", "begins with INV1-"),
        (code[:24], "has 120 characters, not 16"),
        (code[:31] + typed + code[32:], "mistyped"),
    ):
        answer = crew.join(crew.bob, wrong, code=9)
        assert answer.err.startswith("error: this is not an invite code")
        assert said in answer.err
        assert wrong not in answer.err
    assert "member of this organization already" in crew.join(crew.ada, code, code=4).err
    crew.join(crew.bob, code)
    assert "member of this organization already" in crew.join(crew.bob, code, code=4).err
    used = crew.join(crew.eve, code, code=7)
    assert "the invite was used or cancelled, or is not of http://127.0.0.1" in used.err
    assert "a new code" in used.err

    cancelled = crew.ada(f"sopor org invite --org '{team}' --json").json
    assert "no open invite" in crew.ada(f"sopor org cancel 0000 --org '{team}'", code=3).err
    answer = crew.ada(f"sopor org cancel {cancelled['id'][:8]} --org '{team}'")
    assert answer.out == f"Cancelled invite {cancelled['id'][:10]}, with 1 new key\n"
    assert "used or cancelled" in crew.join(crew.eve, cancelled["code"], code=7).err
    assert crew.eve("sopor org list --json").json[0]["kind"] == "personal"

    nobody = Terminal.create(tmp_path / "nobody")
    assert "no account is known" in crew.join(nobody, code, code=6).err
    empty = {"SOPOR_INVITE_CODE_FILE": str(tmp_path / "nothing")}
    assert "does not read" in crew.eve("sopor org join", env=empty, code=9).err
    asked = crew.eve("sopor org join --json", code=13).error
    assert asked["code"] == "input-needed"
    assert "--code-stdin or in a file that SOPOR_INVITE_CODE_FILE names" in asked["hint"]
    assert "no line" in crew.eve("sopor org join --code-stdin", code=13).err


def test_a_code_is_asked_for_and_not_shown(crew: Crew) -> None:
    team = crew.team()
    code = crew.invite(team)
    shown = crew.bob.type_into("sopor org join", [("Invite code (INV1-...): ", code)])
    assert f"Joined {team} as editor" in shown
    assert code[10:] not in shown
    shown = crew.eve.type_into("sopor org join", [("Invite code (INV1-...): ", code)], code=7)
    assert code[10:] not in shown


def test_what_is_asked_before_it_is_done(crew: Crew) -> None:
    team, bob = crew.team(), crew.names["bob"]
    pets = start(crew.ada, team.replace(" ", "-"), team)
    crew.join(crew.bob, crew.invite(team, "--role admin"))
    for command in (
        f"sopor org remove {bob}",
        f"sopor org transfer {bob}",
        f"sopor project delete {pets.folder.name}",
        "sopor org delete",
    ):
        asked = pets(f"{command} --json", code=13).error
        assert asked["code"] == "input-needed"
        assert asked["hint"] == "add --yes"
        assert "This will" in pets.type_into(command, [("Type yes to go on:", "no")], code=13)
    crew.bob(f"sopor org role {bob} viewer --org '{team}'", code=13)
    crew.bob(f"sopor org leave --org '{team}'", code=13)
    assert len(pets("sopor org log --json").json) == 4, "nothing was done"

    only = pets("sopor org leave --yes", code=4)
    assert "the only owner" in only.err
    assert "sopor org transfer" in only.err
    pets.type_into(f"sopor org remove {bob}", [("Type yes to go on:", "yes")])
    assert len(pets("sopor org members --json").json) == 1


def test_what_roles_may_not_do(crew: Crew, tmp_path: Path) -> None:
    team, ada = crew.team(), crew.names["ada"]
    pets = start(crew.ada, team.replace(" ", "-"), team)
    crew.join(crew.bob, crew.invite(team, "--role viewer"))
    org = f"--org '{team}'"
    for command in (
        "org invite",
        f"org role {ada} viewer",
        f"org remove {ada} --yes",
        "project create more",
        f"project rename {pets.folder.name} other",
        f"project archive {pets.folder.name}",
        f"project delete {pets.folder.name} --yes",
        "rotate",
    ):
        refused = crew.bob(f"sopor {command} {org} --json", code=7).error
        assert refused["code"] == "permission-denied"
        assert refused["message"] == f"you are viewer of {team}, not an owner or admin"
        assert "sopor org members" in refused["hint"]
    for command in ("org rename Other", "org delete", f"org transfer {ada}"):
        assert "not an owner" in crew.bob(f"sopor {command} {org}", code=7).err
    crew.bob(f"sopor clone {pets.folder.name} theirs")
    theirs = crew.bob.at("theirs")
    theirs("sopor commit --allow-empty -m Mine")
    assert "you are viewer of the project" in theirs("sopor push", code=7).err
    crew.ada(f"sopor org role {crew.names['bob']} editor {org}")
    theirs("sopor sync")
    assert pets("sopor fetch").lines[0].endswith("remote/main")


def test_one_project_has_other_roles(crew: Crew) -> None:
    team, bob = crew.team(), crew.names["bob"]
    name = team.replace(" ", "-")
    pets = start(crew.ada, name, team)
    closed = crew.ada(f"sopor project create closed --org '{team}'")
    assert re.fullmatch(r"Created project closed \([0-9a-f]{10}\)\n", closed.out)
    crew.join(crew.bob, crew.invite(team, f"--role viewer --only {name}"))
    (project,) = crew.bob(f"sopor projects --org '{team}' --json").json
    assert (project["name"], project["role"], project["organization_name"]) == (
        name,
        "viewer",
        team,
    )
    crew.bob(f"sopor clone {name} one")
    theirs = crew.bob.at("one")
    theirs("sopor commit --allow-empty -m Mine")

    assert pets(f"sopor project share {name} {bob} editor").out == f"Made {bob} editor in {name}\n"
    (seat,) = (each for each in pets("sopor org members --json").json if not each["you"])
    assert (seat["role"], seat["projects"]) == ("viewer", {"closed": "none", name: "editor"})
    assert f"editor in {name}" in pets("sopor org members").out
    theirs("sopor sync")
    answer = pets(f"sopor project share {name} {bob} none")
    assert answer.out == f"Closed {name} to {bob}, with 1 new key\n"
    gone = theirs("sopor pull", code=7)
    assert f"you have no access to {name} any more" in gone.err
    theirs("sopor commit --allow-empty -m More")
    assert f"you have no access to {name} any more" in theirs("sopor push", code=7).err
    assert "that you have access to" in crew.bob(f"sopor clone {name} two", code=3).err
    assert crew.bob(f"sopor projects --org '{team}'").out == ""
    owner = pets(f"sopor project share {name} {crew.names['ada']} none", code=4)
    assert "is owner of the organization" in owner.err


def test_who_is_removed_is_told(crew: Crew) -> None:
    team, eve = crew.team(), crew.names["eve"]
    name = team.replace(" ", "-")
    pets = start(crew.ada, name, team)
    crew.join(crew.eve, crew.invite(team))
    crew.eve(f"sopor clone {name}")
    theirs = crew.eve.at(name)
    theirs("sopor commit --allow-empty -m Mine")
    removed = pets(f"sopor org remove {eve} --yes")
    assert removed.out == f"Removed {eve}, with 2 new keys\n"
    for command in ("push", "pull", "sync", "fetch"):
        gone = theirs(f"sopor {command} --json", code=3).error
        assert "you were removed from its organization" in gone["message"]
        assert "what you have stays here" in gone["hint"]
    assert "no member of the organization of this folder" in theirs("sopor org show", code=3).err
    assert "not a member of" in crew.eve(f"sopor org show --org '{team}'", code=3).err
    assert len(theirs("sopor log").lines) == 2, "what is here stays readable"
    assert "1 member" in pets("sopor org list").out


def test_who_leaves_leaves_keys_to_make(crew: Crew) -> None:
    team, bob = crew.team(), crew.names["bob"]
    pets = start(crew.ada, team.replace(" ", "-"), team)
    crew.join(crew.bob, crew.invite(team))
    assert crew.bob(f"sopor org leave --org '{team}' --yes").out == f"Left {team}\n"
    shown = pets("sopor org show")
    assert "Made 2 new keys that were waited for" in shown.err
    assert "Waiting" not in shown.out
    newest, left = pets("sopor org log --json -n 2").json
    assert newest["type"] == "epoch"
    assert (left["actor"], left["text"]) == (bob, "left the organization")


def test_projects_are_named_archived_and_deleted(crew: Crew) -> None:
    team = crew.team()
    name = team.replace(" ", "-")
    pets = start(crew.ada, name, team)
    listed = pets(f"sopor projects --org '{team}'").out
    assert re.fullmatch(rf"{name}  [0-9a-f]{{10}} +[\d.]+ kB  .*  owner in {team}\n", listed)
    assert pets(f"sopor project --org '{team}'").out == listed
    assert pets(f"sopor project list --org '{team}'").out == listed
    everything = pets("sopor projects --json").json
    assert team in {project["organization_name"] for project in everything}
    pets("sopor projects --org nowhere", code=3)

    assert pets(f"sopor project archive {name}").out == f"Archived {name}\n"
    assert "is archived already" in pets(f"sopor project archive {name}", code=4).err
    assert f"owner in {team}, archived" in pets("sopor projects").out
    pets("sopor commit --allow-empty -m More")
    pets("sopor fetch")
    assert "sopor project revive" in pets("sopor push", code=7).err
    assert pets(f"sopor project revive {name}").out == f"Revived {name}\n"
    pets("sopor sync")
    renamed = pets(f"sopor project rename {name} Other{name}")
    assert renamed.out == f"Renamed project {name} to Other{name}\n"
    refused = pets(f"sopor project rename Other{name} 'a\tb'", code=9)
    assert "'a\\tb' is not a project name" in refused.err
    assert "no project 'nothing'" in pets("sopor project archive nothing", code=3).err
    assert len(pets("sopor project log --json").json) == 2
    pets(f"sopor project delete Other{name} --yes")
    assert "deleted" in pets("sopor pull", code=7).err
    assert pets(f"sopor projects --org '{team}' --json").json == []


def test_new_keys_for_all_or_for_one(crew: Crew) -> None:
    team = crew.team()
    name = team.replace(" ", "-")
    pets = start(crew.ada, name, team)
    assert pets("sopor rotate").out == f"Made new keys for {team}, {name}\n"
    assert pets(f"sopor rotate {name} --json").json["epochs"] == 1
    assert "no project 'nothing'" in pets("sopor rotate nothing", code=3).err
    assert "key 3" in pets("sopor org show").out
    pets("sopor commit --allow-empty -m 'Under the newest key'")
    pets("sopor sync")


def test_ownership_is_handed_over(crew: Crew) -> None:
    team, ada, bob = crew.team(), crew.names["ada"], crew.names["bob"]
    org = f"--org '{team}'"
    crew.join(crew.bob, crew.invite(team))
    done = crew.ada(f"sopor org transfer {bob} --yes {org}")
    assert done.lines == [f"Made {bob} owner", f"Made {ada} admin"]
    assert "not an owner" in crew.ada(f"sopor org transfer {bob} --yes {org}", code=7).err
    assert "owner already" in crew.bob(f"sopor org transfer {bob} --yes {org}", code=9).err
    renamed = crew.bob(f"sopor org rename 'Bob & {team}' {org}")
    assert renamed.out == f"Renamed {team} to Bob & {team}\n"
    assert crew.ada(f"sopor org show --org 'Bob & {team}' --json").json["organization"]["role"] == (
        "admin"
    )
    answer = crew.bob(f"sopor org delete --org 'Bob & {team}' --yes")
    assert answer.out == f"Deleted Bob & {team}\n"
    crew.ada(f"sopor org show --org 'Bob & {team}'", code=3)


def test_two_organizations_of_one_name(crew: Crew) -> None:
    team = crew.team()
    other = crew.ada(f"sopor org create '{team}' --json").json
    answer = crew.ada(f"sopor org show --org '{team}'", code=9)
    assert "several organizations may be meant" in answer.err
    assert "such as by its id: --org " in answer.err
    shown = crew.ada(f"sopor org show --org {other['id'][:10]} --json").json
    assert shown["organization"]["id"] == other["id"]
    crew.ada(f"sopor org delete --org {other['id'][:10]} --yes")
    crew.ada(f"sopor org show --org '{team}'")


def test_safety_numbers(crew: Crew) -> None:
    team, ada, bob = crew.team(), crew.names["ada"], crew.names["bob"]
    org = f"--org '{team}'"
    crew.join(crew.bob, crew.invite(team))
    hers = crew.ada(f"sopor org verify {bob} {org}")
    assert "Not compared yet" in hers.out
    his = crew.bob(f"sopor org verify {ada} {org} --json").json
    assert " ".join(" ".join(line.split()) for line in hers.lines[1:4]) == his["number"]
    assert "that is you" in crew.ada(f"sopor org verify {ada} {org}", code=9).err
    assert "Compared on this device" in crew.ada(f"sopor org verify {bob} {org} --confirm").out
    assert f"✓ {bob}" in crew.ada(f"sopor org members {org}").out
    assert f"✓ {ada}" not in crew.bob(f"sopor org members {org}").out


def test_names_and_numbers_that_are_refused(crew: Crew) -> None:
    for name in ("", "a\tb", "x" * 251):
        refused = crew.ada(f"sopor org create '{name}' --json", code=9).error
        assert refused["message"].endswith("is not an organization name")
    team = crew.team()
    org = f"--org '{team}'"
    for days in ("0", "-1", "91", "soon"):
        crew.ada(f"sopor org invite --days {days} {org}", code=2)
    crew.ada(f"sopor org invite --role boss {org}", code=2)
    crew.ada(f"sopor org invite --only nothing {org}", code=3)
    crew.ada(f"sopor org role nobody {org}", code=2)
    own = crew.ada(f"sopor org invite --org {crew.names['ada']}", code=9)
    assert "sopor org create NAME" in own.err
    name = "turn \u202earound"
    made = crew.ada(f"sopor org create '{name}'")
    assert made.out.startswith("Founded turn \\u202earound (")
    assert "\u202e" not in crew.ada("sopor org list").out
    file = crew.ada.write("not.license", "hello")
    assert "is not a license" in crew.ada(f"sopor org license {file} {org}", code=9).err
    crew.ada(f"sopor org license nothing {org}", code=2)


def test_without_a_server_or_an_account(crew: Crew, terminal: Terminal, tmp_path: Path) -> None:
    for command in ("org", "org show", "org create X", "project", "rotate", "projects"):
        assert terminal(f"sopor {command} --json", code=6).error["code"] == "not-logged-in"
    assert "no account" in crew.ada("sopor org --server http://127.0.0.1:1", code=6).err
    assert crew.ada("sopor project log --json", code=3).error["code"] == "not-found"
    with running_server(tmp_path / "data") as server:
        dora = Person(tmp_path / "dora", server.url).device("laptop")
        dora("sopor org create Acme")
        code = dora("sopor org invite -q").out.strip()
        answer = crew.join(crew.bob, code, code=7)
        assert f"or is not of {crew.url}" in answer.err, "the invite is of another server"
    for command in ("org", "org show", "org invite", "projects", "rotate"):
        lost = dora(f"sopor {command} --json", code=8).error
        assert lost["code"] == "server-unreachable"


def completions(terminal: Terminal, line: str) -> list[str]:
    """Returns what bash would offer for the last word of a line."""
    words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    answer = terminal("sopor", env={"_SOPOR_COMPLETE": "bash_complete", **words})
    assert answer.err == ""
    return [line.split(",", 1)[1] for line in answer.out.splitlines() if line]


def test_members_projects_and_organizations_are_completed(crew: Crew) -> None:
    team, bob = crew.team(), crew.names["bob"]
    name = team.replace(" ", "-")
    pets = start(crew.ada, name, team)
    crew.join(crew.bob, crew.invite(team))
    made = pets("sopor org invite --json").json
    assert bob in completions(pets, "sopor org remove bo")
    assert bob in completions(pets, f"sopor project share {name} bo")
    assert name in completions(pets, f"sopor clone {name[:3]}")
    assert team in completions(pets, "sopor org show --org Te")
    assert made["id"][:10] in completions(pets, f"sopor org cancel {made['id'][:5]}")
    stranger = Terminal.create(crew.ada.folder.parent / f"stranger-{name}")
    assert completions(stranger, "sopor org remove bo") == []
    assert completions(stranger, "sopor clone T") == []


def test_no_code_and_no_key_leaks(crew: Crew, server: RunningServer) -> None:
    team = crew.team()
    code = crew.invite(team)
    debug = {"SOPOR_DEBUG": "1"}
    said = [crew.join(crew.bob, code)]
    file = crew.eve.write("code.txt", code)
    used = {**debug, "SOPOR_INVITE_CODE_FILE": str(file)}
    argument = crew.eve(f"sopor org join {code}", env=debug, code=2)
    assert "an invite code is no argument" in argument.err
    said += [
        argument,
        crew.eve("sopor org join -v", env=used, code=7),
        crew.eve("sopor org join --json", env=used, code=7),
        crew.eve("sopor org join -v --code-stdin", stdin=f"{code[:-2]}\n", env=debug, code=9),
        crew.ada(f"sopor org log --org '{team}'", env=debug),
        crew.ada(f"sopor org show --org '{team}' --json", env=debug),
    ]
    heaps = {"said": "".join(answer.out + answer.err for answer in said).encode()}
    heaps["the server's log"] = server.log.read_bytes()
    for path in server.data.rglob("*"):
        if path.is_file():
            heaps[str(path)] = path.read_bytes()
    for terminal in (crew.ada, crew.bob, crew.eve):
        home = Path(terminal.environment["SOPOR_HOME"])
        heaps |= {str(path): path.read_bytes() for path in home.rglob("*") if path.is_file()}
    # The whole code, and the part of it that no other code of the team has.
    for needle in (code, code.replace("-", ""), "".join(code.split("-")[17:24])):
        for spelling in text_spellings(needle).values():
            found = [name for name, heap in heaps.items() if spelling in heap]
            assert not found, f"the invite code is in {found}"
