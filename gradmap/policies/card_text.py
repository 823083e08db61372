"""MODEL_CARD.md: a model card for someone who plans or operates a network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from gradmap.observations import UNITS

if TYPE_CHECKING:
    from gradmap.policies.card import ModelCard, Range, Result

_OF_VEHICLES: Final = ("plugged_in", "departure_h")
_COMMON_YEAR: Final = 2025
"""To name days of the year; in leap years names are one day late from March."""


def card_text(card: ModelCard) -> str:
    """Return the card as Markdown."""
    parts = [
        [f"# Policies for scenario `{card.scenario_name}`"],
        ["Made from `card.json`, which `gradmap run` checks; this text is for people only."],
        _what(card),
        _trained_on(card),
        _how_good(card),
        _not_for(card),
        _origin(card),
    ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _what(card: ModelCard) -> list[str]:
    kinds = Counter(agent.kind for agent in card.agents.values())
    owned = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    sees = "its own voltage, " if card.architecture.senses_voltage else ""
    return [
        "## What it is",
        "",
        f"{len(card.agents)} small neural networks, one for each device ({owned}). Each decides "
        f"its device's power every {card.days.step_min:g} min from what its home can see: {sees}"
        f"time, prices, outdoor temperature, the home's load and sun, and its device's state. "
        f"Nothing is exchanged between homes.",
        "",
        "Sign rule: power > 0 draws from the grid, power < 0 feeds in. Action +1 is the most "
        "consumption of the device, -1 the least or the most feed-in.",
    ]


def _trained_on(card: ModelCard) -> list[str]:
    grid, days = card.grid, card.days
    excluded = ", ".join(grid.exclude_buses) or "none"
    sources = ", ".join(f"{v:g}" for v in grid.source_v_pu)
    return [
        "## What it was trained on",
        "",
        f"- Feeder `{grid.feeder_name}` ({grid.feeder_hash[:12]}), source at {sources} pu, "
        f"regulators {grid.regulators.replace('_', ' ')}.",
        f"- Voltage limits: {grid.v_min_pu:g} to {grid.v_max_pu:g} pu (buses left out: "
        f"{excluded}).",
        f"- Line loading: {_loading(card)}.",
        f"- Drawn days from {_day(days.first_day_of_year)} to {_day(days.last_day_of_year)}; "
        f"tariff `{days.tariff_kind}` in {days.currency}. The ranges are those of the first "
        f"{days.n_days}.",
        "",
        "| observed | agents | lowest | highest | unit |",
        "|---|---|---|---|---|",
        *_rows(days.common, kind="all", currency=days.currency),
        *(
            row
            for kind, ranges in days.by_kind.items()
            for row in _rows(ranges, kind=kind, currency=days.currency)
        ),
    ]


def _loading(card: ModelCard) -> str:
    limited = card.training.with_loading
    if limited is None:
        return "this card does not say whether training limited it"
    if not limited:
        return "not limited in training"
    return f"limited to {card.grid.loading_max:g} of the normal rating in training"


def _rows(ranges: Mapping[str, Range], *, kind: str, currency: str) -> Iterator[str]:
    for name, seen in ranges.items():
        if name in _OF_VEHICLES and seen.low == seen.high:
            continue  # what is observed without a vehicle
        unit = UNITS[name].replace("cur", currency)
        yield f"| `{name}` | {kind} | {seen.low:.4g} | {seen.high:.4g} | {unit} |"


def _how_good(card: ModelCard) -> list[str]:
    return [
        "## How good it is",
        "",
        f"- Test (days that had no part in training): {_result(card.test, card)}",
        f"- Validation (the best networks were chosen by these days, so it flatters): "
        f"{_result(card.validation, card)}",
    ]


def _result(result: Result | None, card: ModelCard) -> str:
    if result is None:
        return "none yet."
    at_all = "" if result.n_outside is None else f"outside at all: {result.n_outside}; "
    loaded = (
        "loadings were not looked at"
        if result.n_overloaded is None
        else f"a branch is overloaded by more than 1 % on {result.n_overloaded}"
    )
    worst = (
        "some power flows had no solution, and such days count"
        if result.violation_max_pu is None
        else f"at most {result.violation_max_pu:.5f} pu outside"
    )
    return (
        f"{result.n_violating} of {result.n_days} days are more than {result.threshold_pu:g} pu "
        f"outside a voltage limit, so with 95 % confidence at most "
        f"{100 * result.upper_bound:.1f} % are; {at_all}{worst}; {loaded}; mean cost "
        f"{result.cost_mean:.2f} {card.days.currency} a day; judged by {result.judged_by}."
    )


def _not_for(card: ModelCard) -> list[str]:
    return [
        "## Where it must not be used",
        "",
        "- On another or a changed feeder, with other limits, source voltage or regulators acting "
        "differently; at another connection; for a device with other parameters. "
        "`gradmap run` refuses all of this.",
        "- With prices, weather, loads or sun outside the ranges above. `gradmap run` refuses it "
        "unless the scenario says `policies.outside_range: warn`.",
        "- As protection. Nothing above is a guarantee for a single day: the numbers are "
        "frequencies on drawn days like those of training.",
        "- Not checked: the season itself, the homes' other devices and sizes as long as loads "
        "stay in range, and voltages and device states, which follow from what the policies do.",
    ]


def _origin(card: ModelCard) -> list[str]:
    training, network = card.training, card.architecture
    return [
        "## Where it comes from",
        "",
        f"- Scenario `{card.scenario_name}` ({card.scenario_hash}), gradmap {card.version}, "
        f"settings {training.settings_hash}, seed {training.seed}.",
        f"- {training.iterations} iterations in {training.seconds:.0f} s on {training.hardware}.",
        f"- Networks: hidden layers {list(network.hidden)}, {network.clock_harmonics} harmonics "
        f"of the clock, {'with' if network.senses_voltage else 'without'} voltage.",
    ]


def _day(day_of_year: int) -> str:
    """Return a day of the year by name, such as `18 March`."""
    day = date(_COMMON_YEAR, 1, 1) + timedelta(days=day_of_year - 1)
    return f"{day.day} {day:%B}"
