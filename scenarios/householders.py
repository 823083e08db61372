"""Homes of simulated householders who were asked, as files for `population.interviews`.

    asked = ask_householders(20, seed=0, place=place_of(scenario, seed=0))
    write_asked(asked, folder=Path("homes"), true_folder=Path("true_homes"))

Householders are those of `gradmap hems evaluate`, interviewed by rules. Of each there are two
homes: as the interview understood it, and as it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from federates.grid import open_engine
from federates.hems.adapters.population_rows import device_rows
from federates.hems.controller.roles import is_left_to_home
from federates.hems.evaluation.arms import ARMS
from federates.hems.evaluation.dialogue import hold
from federates.hems.evaluation.measuring import TEMPLATES
from federates.hems.evaluation.metrics import accuracy_of
from federates.hems.evaluation.regret import true_home
from federates.hems.evaluation.scoring import score
from federates.hems.parameters.home_file import HomeFile, write
from federates.hems.users.grammar_user import GrammarUser
from federates.hems.users.persona import draw_persona
from federates.hems.users.templates import TemplateSet
from gradmap.errors import ScenarioError
from gradmap.files import written_whole
from scenarios.federation import grid_settings
from scenarios.population import draw_population
from scenarios.profiles.randomness import generator
from scenarios.schema import Scenario

LIST_FILE: Final = "homes.json"
"""Beside the home files: who was asked, and how much of what they said was understood."""
_ARM: Final = "rules"
_WORDS: Final = "held_out"
_MOST_DRAWN: Final = 200
"""Householders drawn for each home wanted, before it is an error."""


@dataclass(frozen=True, kw_only=True)
class AskedHome:
    """A householder's home, as it was understood and as it is."""

    name: str
    """Of its files."""
    number: int
    """Of the householder: `draw_persona(seed, number)`."""
    level: str
    ended: str
    """How the interview did, see `evaluation.dialogue.Dialogue`."""
    n_turns: int
    right: float | None
    """Share of the found home's values, defaults included, that agree with the truth. [-]"""
    found: HomeFile
    true: HomeFile

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return gradmap's kinds of the devices found."""
        return kinds_of(self.found)

    def described(self) -> dict[str, Any]:
        """Return who was asked, as plain values."""
        return {
            "name": self.name,
            "householder": self.number,
            "level": self.level,
            "ended": self.ended,
            "turns": self.n_turns,
            "values_right": None if self.right is None else round(self.right, 4),
            "devices": list(self.kinds),
            "true_devices": list(kinds_of(self.true)),
        }


@dataclass(frozen=True, kw_only=True)
class Place:
    """Households of a scenario that homes may stand in for."""

    currency: str
    kinds: Mapping[str, frozenset[str]]
    """Kinds of devices that each household owns, households in drawn order."""

    def takes(self, home: HomeFile) -> bool:
        """Return whether a policy of the scenario may control all devices of a home, at least one.

        The home pays in the scenario's currency, its people take part and keep no device to
        themselves.
        """
        said = home.parameters
        if said.currency != self.currency:
            return False
        try:
            own = device_rows(said, currency=self.currency)
        except ScenarioError:  # says what a scenario cannot hold
            return False
        return bool(own) and not any(is_left_to_home(said, kind) for kind in own)

    def household_for(self, home: HomeFile, *, taken: Sequence[str]) -> str:
        """Return the free household that shares most kinds of devices with a home.

        An agent of the same name and kind then goes on from its own trained network.

        Args:
            home: Whose people were asked.
            taken: Households that have a home already, fewer than there are.
        """
        own, gone = set(kinds_of(home)), set(taken)
        free = [household for household in self.kinds if household not in gone]
        return max(free, key=lambda household: len(own & self.kinds[household]))


def place_of(scenario: Scenario, *, seed: int) -> Place:
    """Return the households of a scenario as drawn, in an order drawn by a seed."""
    population = scenario.population.model_copy(update={"interviews": None})
    drawn = draw_population(
        scenario.model_copy(update={"population": population}),
        open_engine(grid_settings(scenario)).connections,
    )
    ids = drawn.households["household_id"].tolist()
    owned: dict[str, set[str]] = {ids[k]: set() for k in _order(len(ids), seed=seed)}
    for kind, table in drawn.devices.items():
        for household in table["household_id"]:
            owned[household].add(kind)
    kinds = {household: frozenset(own) for household, own in owned.items()}
    return Place(currency=scenario.tariff.currency, kinds=kinds)


def ask_householders(
    n_homes: int,
    *,
    seed: int,
    place: Place | None = None,
    on_share: Callable[[float], None] | None = None,
) -> tuple[AskedHome, ...]:
    """Interview householders one after the other until there are enough homes.

    Args:
        n_homes: How many.
        seed: Of householders and their words.
        place: Only homes that it takes, named after its households; None takes everybody.
        on_share: Called with the share of homes found.

    Raises:
        ScenarioError: Too few householders fit, or there are too few households.
    """
    if place is not None and n_homes > len(place.kinds):
        raise ScenarioError(
            f"{n_homes} homes were asked for, but the scenario has {len(place.kinds)} households "
            f"that they could stand in for. Ask for fewer."
        )
    currency = None if place is None else place.currency
    found: list[AskedHome] = []
    for asked in _asked(seed, currency=currency, n_most=_MOST_DRAWN * n_homes):
        if place is None:
            found.append(asked)
        elif place.takes(asked.found):
            name = place.household_for(asked.found, taken=[home.name for home in found])
            found.append(replace(asked, name=name))
        else:
            continue
        if on_share is not None:
            on_share(len(found) / n_homes)
        if len(found) == n_homes:
            return tuple(found)
    raise ScenarioError(
        f"Only {len(found)} of {_MOST_DRAWN * n_homes} householders drawn from seed {seed} have a "
        f"home that fits the scenario, expected {n_homes}. Ask for fewer, or take another seed; "
        f"its prices must be in GBP, EUR or USD."
    )


def write_asked(
    homes: Sequence[AskedHome], *, seed: int, folder: Path, true_folder: Path | None = None
) -> None:
    """Write the homes as understood, and as they are; other home files there are removed.

    Args:
        homes: Whose.
        seed: They were drawn from.
        folder: Of the homes as understood, with `homes.json`; made if absent.
        true_folder: Of the homes as they are, or None.

    Raises:
        ScenarioError: A folder cannot be written to, or holds files of somebody else.
    """
    for place in (folder, *([] if true_folder is None else [true_folder])):
        _cleared(place)
    for home in homes:
        write(home.found, path=folder / f"{home.name}.yaml")
        if true_folder is not None:
            write(home.true, path=true_folder / f"{home.name}.yaml")
    document = {"seed": seed, "homes": [home.described() for home in homes]}
    for place in (folder, *([] if true_folder is None else [true_folder])):
        with written_whole(place / LIST_FILE) as file:
            file.write((json.dumps(document, indent=1) + "\n").encode())


def kinds_of(home: HomeFile) -> tuple[str, ...]:
    """Return gradmap's kinds of the devices that a home has, in their order."""
    return tuple(device_rows(home.parameters, currency=home.parameters.currency))


def _order(n: int, *, seed: int) -> list[int]:
    return [int(k) for k in generator("householders", seed=seed).permutation(n)]


def _asked(seed: int, *, currency: str | None, n_most: int) -> Iterator[AskedHome]:
    """Yield householders in order, asked; those of another currency are not."""
    arm, words = ARMS[_ARM], TemplateSet.load(TEMPLATES[_WORDS])
    interviewer = arm.interviewer()
    for number in range(n_most):
        persona = draw_persona(seed, number)
        if currency not in (None, persona.currency):
            continue
        dialogue = hold(
            interviewer,
            GrammarUser(persona, words, seed),
            settings=arm.settings(persona, seed=seed % 2**31),
        )
        yield AskedHome(
            name=f"householder_{number:04d}",
            number=number,
            level=persona.level,
            ended=dialogue.ended,
            n_turns=dialogue.state.turn,
            right=accuracy_of(score(dialogue, number=number), against="file"),
            found=dialogue.home,
            true=true_home(persona),
        )


def _cleared(folder: Path) -> None:
    """Make a folder, or remove the home files that were written into it before."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = list(folder.glob("*.yaml"))
        if files and not (folder / LIST_FILE).is_file():
            raise ScenarioError(
                f"Folder {str(folder)!r} holds home files but no {LIST_FILE}, so they were not "
                f"written by this command. Choose another folder."
            )
        for file in files:
            file.unlink()
    except OSError as exc:
        raise ScenarioError(
            f"Folder {str(folder)!r}: {exc.strerror or exc}. Choose one that can be written to."
        ) from exc
