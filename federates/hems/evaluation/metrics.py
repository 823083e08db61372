"""Metrics over many dialogues, each a share or a mean with its interval.

Definitions, in words, in docs/hems/evaluation.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import comb
from typing import Final

import numpy as np

from federates.hems.evaluation.bootstrap import Bootstrap, Estimate
from federates.hems.evaluation.scoring import DialogueScore, SlotScore
from federates.hems.users.persona import LEVELS

Share = tuple[float, float]
"""Numerator and denominator of one dialogue."""
_DEVICES: Final = {"evs": "ev"}


def metrics(scores: Sequence[DialogueScore], *, seed: int) -> dict[str, Estimate]:
    """Return every metric by name.

    Args:
        scores: Of dialogues.
        seed: Of the bootstrap.
    """
    people = _by_person(scores)
    draws = Bootstrap(len(people), seed=seed)
    found = {name: _estimate(draws, people, part) for name, part in METRICS.items()}
    for level in LEVELS:
        for name in ("accuracy_said", "accuracy_truth"):
            own = {who: [one for one in ones if one.level == level] for who, ones in people.items()}
            found[f"{name}.{level}"] = _estimate(draws, own, METRICS[name])
    for k in range(1, _repeats(people) + 1):
        found[f"pass_{k}"] = _estimate(draws, people, _pass, k=k)
    return found


def table(
    scores: Sequence[DialogueScore], *, by: Callable[[SlotScore], str], seed: int
) -> dict[str, dict[str, Estimate]]:
    """Return accuracies of groups of slots, pooled over dialogues.

    Args:
        scores: Of dialogues.
        by: Name of a slot's group, see `GROUPINGS`.
        seed: Of the bootstrap.
    """
    people = _by_person(scores)
    draws = Bootstrap(len(people), seed=seed)
    names = dict.fromkeys(by(one) for score in scores for one in score.slots)
    parts = {
        "said": lambda one: one.said_right,
        "truth": lambda one: one.truth_right,
        "file": lambda one: one.file_right,
    }
    found: dict[str, dict[str, Estimate]] = {}
    for name in names:
        row = {}
        for column, judge in parts.items():

            def share(
                score: DialogueScore,
                name: str = name,
                judge: Callable[[SlotScore], bool | None] = judge,
            ) -> Share:
                return _counted(judge(one) for one in score.slots if by(one) == name)

            row[column] = _estimate(draws, people, share)
        found[name] = row
    return found


def device_of(one: SlotScore) -> str:
    """Return what a slot is about: household, heating, battery, ev, washing_machine, ..."""
    first, *rest = one.key.split(".")
    return rest[0] if first == "appliances" else _DEVICES.get(first, first)


GROUPINGS: Final[Mapping[str, Callable[[SlotScore], str]]] = {
    "slot": lambda one: one.key,
    "kind": lambda one: one.slot.kind.value,
    "device": device_of,
}
"""How slots are grouped in tables."""


def accuracy_of(score: DialogueScore, *, against: str = "said") -> float | None:
    """Return the accuracy of one dialogue; None where nothing was to be judged."""
    right, of = _counted(_judged(score, against))
    return right / of if of else None


def paired_difference(
    ours: Mapping[int, float], theirs: Mapping[int, float], *, seed: int
) -> Estimate:
    """Return ours less theirs, over householders whom both have interviewed.

    Args:
        ours: Accuracy by number of the householder.
        theirs: The same of another arm.
        seed: Of the bootstrap.
    """
    both = sorted(set(ours) & set(theirs))
    if not both:
        return Estimate(value=None, low=None, high=None, count=0.0)
    apart = np.array([ours[number] - theirs[number] for number in both])
    return Bootstrap(len(both), seed=seed).ratio(apart, np.ones(len(both)))


def _judged(score: DialogueScore, against: str) -> Iterable[bool | None]:
    return (getattr(one, f"{against}_right") for one in score.slots)


def _counted(judgements: Iterable[bool | None]) -> Share:
    """Return right ones and all that were judged."""
    known = [one for one in judgements if one is not None]
    return float(sum(known)), float(len(known))


def _mean_of(against: str) -> Callable[[DialogueScore], Share]:
    """Return a dialogue's accuracy as a share of one, so that every dialogue weighs the same."""

    def part(score: DialogueScore) -> Share:
        accuracy = accuracy_of(score, against=against)
        return (0.0, 0.0) if accuracy is None else (accuracy, 1.0)

    return part


def _whole(judge: Callable[[DialogueScore], float | None]) -> Callable[[DialogueScore], Share]:
    """Return a number a dialogue, for means over dialogues."""

    def part(score: DialogueScore) -> Share:
        value = judge(score)
        return (0.0, 0.0) if value is None else (float(value), 1.0)

    return part


def _slots(
    above: Callable[[SlotScore], bool | int], below: Callable[[SlotScore], bool | int]
) -> Callable[[DialogueScore], Share]:
    """Return counts of slots that are something, of those that are something else."""

    def part(score: DialogueScore) -> Share:
        return (
            float(sum(above(one) for one in score.slots)),
            float(sum(below(one) for one in score.slots)),
        )

    return part


def _if_annotated(part: Callable[[DialogueScore], Share]) -> Callable[[DialogueScore], Share]:
    """Leave out dialogues of which nobody knows what was disclosed."""
    return lambda score: part(score) if score.annotated else (0.0, 0.0)


METRICS: Final[Mapping[str, Callable[[DialogueScore], Share]]] = {
    "accuracy_said": _mean_of("said"),
    "accuracy_truth": _mean_of("truth"),
    "accuracy_file": _mean_of("file"),
    "joint_said": _if_annotated(_whole(lambda one: one.all_said_right)),
    "joint_truth": _whole(lambda one: one.all_truth_right),
    "wrong_but_valid": _if_annotated(_slots(lambda x: x.wrong, lambda x: x.recorded)),
    "invented": _if_annotated(_slots(lambda x: x.invented, lambda x: x.recorded)),
    "abstention_precision": _slots(lambda x: x.marked and x.declined, lambda x: x.marked),
    "abstention_recall": _slots(lambda x: x.marked and x.declined, lambda x: x.declined),
    "repair": _slots(lambda x: bool(x.repaired), lambda x: x.repaired is not None),
    "volunteered": _slots(
        lambda x: bool(x.said_right) and not x.asks,
        lambda x: x.said_right is not None and not x.asks,
    ),
    "complete": _whole(lambda one: one.complete),
    "turns": _whole(lambda one: one.turns),
    "questions_per_slot": _slots(lambda x: x.asks, lambda x: x.asks > 0),
    "tokens_in": _whole(lambda one: one.tokens_in),
    "tokens_out": _whole(lambda one: one.tokens_out),
    "rules_turns": lambda score: (float(score.rules_turns), float(score.turns)),
    "out_of_range": _whole(lambda one: one.out_of_range),
}
"""Every metric of a dialogue: summed over dialogues, numerator over denominator."""


def _by_person(scores: Sequence[DialogueScore]) -> dict[int, list[DialogueScore]]:
    people: dict[int, list[DialogueScore]] = {}
    for score in sorted(scores, key=lambda one: (one.number, one.repeat)):
        people.setdefault(score.number, []).append(score)
    return people


def _repeats(people: Mapping[int, Sequence[DialogueScore]]) -> int:
    """Return in how many dialogues every householder took part."""
    return min((len(ones) for ones in people.values()), default=0)


def _pass(score: DialogueScore) -> Share:
    return float(score.all_said_right if score.annotated else score.all_truth_right), 1.0


def _estimate(
    draws: Bootstrap,
    people: Mapping[int, Sequence[DialogueScore]],
    part: Callable[[DialogueScore], Share],
    *,
    k: int | None = None,
) -> Estimate:
    """Return a metric, or with `k` the chance that k dialogues of a householder all pass."""
    above, below = np.zeros(len(people)), np.zeros(len(people))
    for row, ones in enumerate(people.values()):
        shares = [part(one) for one in ones]
        if k is None:
            above[row], below[row] = (
                (sum(column) for column in zip(*shares, strict=True)) if (shares) else (0.0, 0.0)
            )
        else:
            passed = sum(value > 0.0 for value, _ in shares)
            above[row], below[row] = comb(passed, k) / comb(len(shares), k), 1.0
    return draws.ratio(above, below)
