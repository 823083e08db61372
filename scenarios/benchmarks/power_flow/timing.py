"""Fair timing on a machine that may be busy: tools in turn, CPU time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from gradmap.feeder import ComplexArray, FloatArray

Seen = TypeVar("Seen")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a timed call produced, in the task's orders; looked at after the clock stopped."""

    node_v_pu: ComplexArray | None = None
    gradient: FloatArray | None = None


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One way to solve the task."""

    tool: str
    kind: str
    """`forward`, `gradient`, or for OpenDSS how it is driven."""
    tolerance_pu: float
    """As set in the tool; what it is compared with inside differs."""
    prepare: Callable[[], None]
    """Not timed."""
    run: Callable[[], None]
    """Solves all snapshots; timed."""
    outcome: Callable[[], Outcome]
    """Of the last run; not timed."""
    dtype: str = "float64"
    reference: str = ""
    """Around which loading ours linearises."""
    note: str = ""
    error_pu: Callable[[], float] | None = None
    """For a tool with a network of its own: its error there."""


def time_in_turn(
    contenders: Sequence[Contender],
    *,
    repeats: int,
    n_snapshots: int,
    look: Callable[[Contender], Seen],
    on_round: Callable[[int], None] | None = None,
) -> tuple[list[list[float]], list[Seen]]:
    """Time contenders one after another, round after round.

    All of them run once before any runs again, so a machine that gets busy slows all of them.

    Args:
        contenders: What to time.
        repeats: Rounds, after one to warm up.
        n_snapshots: Solved by each run.
        look: Called after each run of the first round, while its results still stand.
        on_round: Called after each round with the number of rounds done.

    Returns:
        CPU time per snapshot of every contender and round [us], and what `look` returned.
    """
    times: list[list[float]] = [[] for _ in contenders]
    seen: list[Seen] = []
    for turn in range(repeats + 1):
        for own, contender in zip(times, contenders, strict=True):
            contender.prepare()
            start = time.process_time()
            contender.run()
            spent = time.process_time() - start
            if turn == 0:
                seen.append(look(contender))
            else:
                own.append(1e6 * spent / n_snapshots)
        if on_round is not None:
            on_round(turn)
    return times, seen
