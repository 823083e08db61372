"""Before a run: every policy's model card against the scenario and its materialised inputs."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from federates.series import iter_tables
from gradmap.baselines.registry import POLICY_PREFIX, policy_folder
from gradmap.errors import FeederError, ScenarioError
from gradmap.feeder import Feeder
from gradmap.policies.applicability import OutsideCounter, check_applicable, check_own
from gradmap.policies.card import CARD_FILE, ModelCard, read_card
from gradmap.policies.checkpoint import load_policy
from opendss_models.extract import extract_feeder
from scenarios.inputs import SERIES_FOLDER
from scenarios.policy_card import agent_facts, grid_facts
from scenarios.population import Population
from scenarios.schema import Scenario

if TYPE_CHECKING:
    from opendss_models.engine import Engine

LOG = logging.getLogger(__name__)

REMARKS_FILE: Final = "policies.json"
"""In `inputs/`: controller to remarks; only with learned policies."""
_ENVIRONMENT: Final = ("price_import_per_kwh", "price_export_per_kwh", "temp_out_c")
_BY_HOUSEHOLD: Final = {"base_load_kw": "base_load_kw", "pv_available_kw": "pv_kw"}
"""Series to the feature that agents observe."""


def check_policies(
    scenario: Scenario, *, engine: Engine, population: Population, inputs_folder: Path
) -> None:
    """Refuse learned policies where they were not trained; write remarks on the others.

    Policies without a card, which nobody can check, run with a remark.

    Args:
        scenario: With its controllers.
        engine: Its compiled feeder.
        population: As materialised.
        inputs_folder: With `series/` complete; `policies.json` is written there.

    Raises:
        ScenarioError: A card is damaged or of other networks, or its policy does not apply.
    """
    remarks: dict[str, list[str]] = {}
    for controller in scenario.controllers:
        if not controller.startswith(POLICY_PREFIX):
            continue
        folder = policy_folder(controller)
        card = read_card(folder)
        if card is None:
            remarks[controller] = [
                f"Policy {str(folder)!r} has no {CARD_FILE}: where it was trained is unchecked."
            ]
            continue
        check_own(card, loaded=load_policy(folder), policy=str(folder))
        found = _check(
            card,
            folder=folder,
            scenario=scenario,
            engine=engine,
            population=population,
            series_folder=inputs_folder / SERIES_FOLDER,
        )
        remarks[controller] = list(found)
        for remark in found:
            LOG.warning("%s", remark)
    if remarks:
        (inputs_folder / REMARKS_FILE).write_text(json.dumps(remarks, indent=1) + "\n")


def check_in_case(
    folder: Path,
    *,
    scenario: Scenario,
    feeder: Feeder,
    population: Population,
    retrained: Collection[str] = (),
) -> None:
    """Refuse a policy on a network or on devices that it was not trained for.

    What agents will see is not compared: days of another season may be asked for on purpose.
    Policies without a card cannot be checked and pass.

    Args:
        folder: Of the policy.
        scenario: Where it is to act, or to be fine-tuned.
        feeder: Of the scenario, with households.
        population: Of the scenario.
        retrained: Agents whose devices may differ.

    Raises:
        ScenarioError: The card is damaged, of other networks, or of another case.
    """
    card = read_card(folder)
    if card is None:
        return
    check_own(card, loaded=load_policy(folder), policy=str(folder))
    agents = agent_facts(population)
    check_applicable(
        card,
        policy=str(folder),
        grid=grid_facts(scenario, feeder=feeder),
        agents={name: facts for name, facts in agents.items() if name not in retrained},
    )


def _check(
    card: ModelCard,
    *,
    folder: Path,
    scenario: Scenario,
    engine: Engine,
    population: Population,
    series_folder: Path,
) -> tuple[str, ...]:
    """Compare one card; return remarks."""
    try:
        feeder = extract_feeder(engine).with_households()
    except FeederError as exc:
        raise ScenarioError(
            f"Policy {str(folder)!r} was trained on feeder {card.grid.feeder_name!r}, and the "
            f"scenario's has parts that no policy can be trained with: {exc}"
        ) from exc
    counter = OutsideCounter(card)
    kinds = _columns_by_kind(population)
    for feature, kind, values in _observed(series_folder, homes_by_kind=kinds):
        counter.add(feature, values, kind=kind)
    return check_applicable(
        card,
        policy=str(folder),
        grid=grid_facts(scenario, feeder=feeder),
        agents=agent_facts(population),
        outside=counter.findings(),
        outside_range=scenario.policies.outside_range,
    )


def _columns_by_kind(population: Population) -> dict[str, list[str]]:
    """Return the home of every agent, by device kind."""
    return {
        kind: table["household_id"].astype(str).tolist()
        for kind, table in population.devices.items()
    }


def _observed(
    series_folder: Path, *, homes_by_kind: dict[str, list[str]]
) -> Iterator[tuple[str, str | None, NDArray[np.float64]]]:
    """Yield feature, device kind or None, and values, holding one part in memory.

    Homes without a column, those without solar power, observe 0.
    """
    for table in iter_tables(series_folder / "environment"):
        for name in _ENVIRONMENT:
            yield name, None, table.column(name).to_numpy()
    for series, feature in _BY_HOUSEHOLD.items():
        for table in iter_tables(series_folder / series):
            absent = np.zeros(len(table))
            values = {name: table.column(name).to_numpy() for name in table.column_names[1:]}
            for kind, homes in homes_by_kind.items():
                columns = [values.get(home, absent) for home in homes]
                yield feature, kind, np.column_stack(columns)
