"""The people, and the logs that the vectors of membership start from."""

from __future__ import annotations

from functools import cache

from tests.vectors.making.reference import PROJECT, Person, fixed
from tests.vectors.making.team import Invitation, Team

ADA, BOB, CLEO, DAN = Person("Ada"), Person("Bob"), Person("Cleo"), Person("Dan")
EVE, FINN, GUS = Person("Eve"), Person("Finn"), Person("Gus")
PETS, BOOKS = PROJECT, fixed("books", 16)
NEW = fixed("a new project", 16)
PETS_HEAD = (3, fixed("head of the pets"))


def invitation(team: Team, person: Person) -> Invitation:
    return Invitation(team.org, person.name)


def _bring(team: Team, by: Person, person: Person, role: str, **projects: str) -> None:
    roles = {{"pets": PETS, "books": BOOKS}[name]: given for name, given in projects.items()}
    invited = invitation(team, person)
    team.take(by, team.invite(by, invited, role, roles))
    team.take(person, team.join(person, invited))


@cache
def _scenes() -> dict[str, Team]:
    founded = Team(ADA)
    team = founded.copy()
    team.heads = {PETS: PETS_HEAD}
    team.take(ADA, team.project_new(PETS))
    _bring(team, ADA, BOB, "admin")
    _bring(team, BOB, CLEO, "editor")
    team.take(BOB, team.project_new(BOOKS, "Ledger"))
    _bring(team, BOB, DAN, "viewer", books="none")
    team.take(BOB, team.invite(BOB, invitation(team, EVE), "viewer", {PETS: "editor"}))
    team.take(ADA, team.invite(ADA, invitation(team, FINN), "owner"))
    scenes = {"founded": founded, "team": team, "personal": Team(ADA, "personal", "Ada")}

    def after(name: str, before: str = "team") -> Team:
        scenes[name] = scenes[before].copy()
        return scenes[name]

    after("cut").take(ADA, team.new_epochs(PETS))
    after("left").take(DAN, team.leave(DAN))
    after("rekeyed").take(CLEO, team.rekey(CLEO.rekeyed()))
    after("removed").take(BOB, team.remove(CLEO))
    after("demoted").take(ADA, team.set_role(BOB, "editor"))
    after("read only").take(BOB, team.set_role(CLEO, "viewer"))
    after("joined").take(EVE, team.join(EVE, invitation(team, EVE)))
    after("cancelled").take(BOB, team.cancel(invitation(team, EVE).id))
    after("archived").take(BOB, team.project_set(PETS, "archived"))
    after("project deleted").take(BOB, team.project_set(BOOKS, "deleted"))
    after("deleted").take(ADA, team.delete())
    return scenes


def scene(name: str) -> Team:
    """A log by its name; a copy."""
    return _scenes()[name].copy()


def logs() -> dict[str, list[str]]:
    """The entries of all of them."""
    return {name: team.texts for name, team in _scenes().items()}
