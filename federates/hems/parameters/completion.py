"""From the slots that an interview filled to a complete home: defaults, then what follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from federates.hems.parameters import building
from federates.hems.parameters.assumptions import arrivals, assumed, heating, house
from federates.hems.parameters.home_file import SCHEMA_VERSION, HomeFile, validated
from federates.hems.parameters.models import nested
from federates.hems.parameters.slot import Value, Values, Who
from federates.hems.parameters.slots import SLOTS, applicable, slot
from federates.hems.parameters.sources import DEFAULT, INFERRED, Provenance, Source
from federates.hems.parameters.stored import checked_all
from gradmap.errors import ScenarioError

_SAID: Final = (Provenance.STATED, Provenance.CONFIRMED)


def completed(
    values: Mapping[str, object],
    sources: Mapping[str, Source],
    *,
    timezone: str = "Europe/London",
    currency: str = "GBP",
    design_temp_c: float = building.UK_DESIGN_TEMP_C,
) -> HomeFile:
    """Return the complete home of recorded slots.

    Slots that do not apply (the battery of a home without one) are left out, see `left_out`.
    Slots that nobody filled take a default; where a plain default would contradict what was said,
    or other slots tell more, the value is inferred from those. Whether all this is feasible is the
    business of `feasibility.conflicts`: nothing that was said is ever changed.

    Args:
        values: Recorded values by slot key, in stored form.
        sources: Where each came from. Derived slots count only if stated or confirmed.
        timezone: IANA zone of all clocks.
        currency: ISO 4217 code of all prices.
        design_temp_c: Outdoor temperature that heating is sized for. [degC]

    Raises:
        ScenarioError: A value does not fit its slot, or has no source; one line each.
    """
    said = checked_all(values)
    without = [key for key in said if key not in sources]
    if without:
        raise ScenarioError(
            f"no source for {', '.join(without)}; pass a Source for each recorded value, "
            f"with provenance stated, confirmed, inferred or default"
        )
    home = _Completion(said, sources, design_temp_c=design_temp_c)
    home.take_or_assume()
    home.infer()
    data: dict[str, Any] = nested(home.in_order())
    data |= {"timezone": timezone, "currency": currency}
    found = {key: source.model_dump() for key, source in home.sources.items()}
    return validated({"schema_version": SCHEMA_VERSION, "parameters": data, "sources": found})


def left_out(values: Mapping[str, object]) -> tuple[str, ...]:
    """Return keys of recorded values that do not apply to the home, so `completed` drops them."""
    home = _Completion(checked_all(values), dict.fromkeys(values, DEFAULT))
    home.take_or_assume()
    dropped = (slot(key) for key in values if key not in home.known)
    return tuple(item.key for item in dropped if item.who is not Who.DERIVED)


class _Completion:
    """A home that is being filled; only for the duration of one call."""

    def __init__(
        self,
        said: Values,
        said_sources: Mapping[str, Source],
        *,
        design_temp_c: float = building.UK_DESIGN_TEMP_C,
    ) -> None:
        self.said = said
        self.said_sources = said_sources
        self.design_temp_c = design_temp_c
        self.known: dict[str, Value] = {}
        self.sources: dict[str, Source] = {}

    def take_or_assume(self) -> None:
        """Take what was said, else a default; conditions only look back in the agenda."""
        for item in SLOTS:
            if item.who is Who.DERIVED or not applicable(item, self.known):
                continue
            if item.key in self.said:
                self._put(item.key, self.said[item.key], self.said_sources[item.key])
            elif item.default is not None:
                value = assumed(item, {**self.said, **self.known})
                self._put(item.key, value, DEFAULT if value == item.default else INFERRED)

    def infer(self) -> None:
        """Work out what follows: first the house, then its heating, then the rest."""
        self._infer(house(self.known))
        known = {**self.known, **self._said_though_derived()}
        self._infer(heating(known, design_temp_c=self.design_temp_c))
        self._infer(arrivals(self.known))

    def in_order(self) -> dict[str, Value]:
        """Return all values in agenda order."""
        return {item.key: self.known[item.key] for item in SLOTS if item.key in self.known}

    def _said_though_derived(self) -> dict[str, Value]:
        """Return derived values that an expert gave."""
        return {
            key: value
            for key, value in self.said.items()
            if slot(key).who is Who.DERIVED and self.said_sources[key].provenance in _SAID
        }

    def _infer(self, values: Values) -> None:
        """Add values that follow, unless somebody said otherwise."""
        said = self._said_though_derived()
        for key, value in values.items():
            if key in said:
                self._put(key, said[key], self.said_sources[key])
            elif key not in self.known:
                self._put(key, value, INFERRED)

    def _put(self, key: str, value: Value, source: Source) -> None:
        self.known[key] = value
        self.sources[key] = source
