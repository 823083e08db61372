"""Circuit elements as the engine holds them: terminals, primitive admittance, properties."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradmap.errors import FeederError
from opendss_models.circuit_reader import bus_of

_FULL_JSON = 1
"""OpenDSS flag: every property, not only those that the file sets."""


@dataclass(frozen=True, kw_only=True)
class RawElement:
    """One enabled circuit element."""

    name: str
    """`class.name`, lower case."""
    buses: tuple[str, ...]
    """Bus of each terminal."""
    node_numbers: tuple[int, ...]
    """Node number of each conductor at its bus, terminal after terminal; 0 is ground."""
    n_phases: int
    open_conductors: frozenset[int]
    """Positions in `node_numbers` of conductors that are open at their terminal."""
    context: Any
    """The engine context to ask for more; the element must not have been edited since."""

    @property
    def kind(self) -> str:
        """Return the class, such as `line`."""
        return self.name.split(".", 1)[0]

    @property
    def n_terminals(self) -> int:
        """Return the number of terminals."""
        return len(self.buses)

    @property
    def n_conductors(self) -> int:
        """Return the number of conductors per terminal."""
        return len(self.node_numbers) // self.n_terminals

    @property
    def node_ids(self) -> tuple[str, ...]:
        """Return `bus.phase` of each conductor, '' for ground."""
        return tuple(
            f"{self.buses[self._terminal_of(k)]}.{number}" if number else ""
            for k, number in enumerate(self.node_numbers)
        )

    def _terminal_of(self, conductor: int) -> int:
        """Return the terminal at whose bus a conductor is."""
        if self.kind == "autotrans" and self.n_phases <= conductor < 2 * self.n_phases:
            return 1  # the far end of the series winding
        return conductor // self.n_conductors

    @cached_property
    def y_prim(self) -> NDArray[np.complex128]:
        """Return the primitive admittance, [conductor, conductor]. [S]"""
        self.context.Circuit.SetActiveElement(self.name)
        flat = np.asarray(self.context.CktElement.YPrim(), dtype=np.float64).view(np.complex128)
        size = len(self.node_numbers)
        # OpenDSS stores matrices column by column.
        return flat.reshape(size, size).T.copy()

    @cached_property
    def properties(self) -> Mapping[str, Any]:
        """Return all properties with lower-case names, numbers at full precision."""
        self.context.Circuit.SetActiveElement(self.name)
        found = json.loads(self.context.Element.ToJSON(_FULL_JSON))
        return {name.lower(): value for name, value in found.items()}


def raw_elements(context: Any, *, also: Collection[str] = ()) -> Iterator[RawElement]:
    """Yield the enabled circuit elements, and those named in `also`, in the circuit's order."""
    element = context.CktElement
    for name in context.Circuit.AllElementNames():
        context.Circuit.SetActiveElement(name)
        if element.Enabled() or name.lower() in also:
            yield RawElement(
                name=name.lower(),
                buses=tuple(bus_of(bus) for bus in element.BusNames()),
                node_numbers=tuple(element.NodeOrder()),
                n_phases=element.NumPhases(),
                open_conductors=_open_conductors(element),
                context=context,
            )


def _open_conductors(element: Any) -> frozenset[int]:
    """Return the positions of the active element's open conductors."""
    n = element.NumConductors()
    return frozenset(
        terminal * n + k
        for terminal in range(element.NumTerminals())
        if element.IsOpen(terminal + 1, 0)
        for k in range(n)
        if element.IsOpen(terminal + 1, k + 1)
    )


class NodeIndex:
    """From node ids to rows.

    Attributes:
        ground: Row that stands for ground: the one after the last node.
    """

    def __init__(self, node_ids: tuple[str, ...]) -> None:
        """Number the nodes of a feeder."""
        self._row = {name: k for k, name in enumerate(node_ids)}
        self.ground = len(node_ids)
        self._row[""] = self.ground

    def rows(self, element: RawElement) -> NDArray[np.int64]:
        """Return the row of each conductor of an element."""
        missing = [name for name in element.node_ids if name not in self._row]
        if missing:
            raise FeederError(
                f"{element.name}: nothing else connects to its node {missing[0]!r}, so the "
                f"voltage there is not defined. Ground the node or connect it."
            )
        return np.array([self._row[name] for name in element.node_ids], dtype=np.int64)
