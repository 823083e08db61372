"""The last word on trained policies: test days that training never saw, judged by OpenDSS.

OUT/test.json             every test day
OUT/policy/card.json      the model card, now with the result
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

from gradmap.baselines.registry import POLICY_PREFIX
from gradmap.files import written_whole
from gradmap.policies.card import Result, read_card, write_card
from scenarios.case import Case
from scenarios.study.methods import MethodDays, evaluate_method
from scenarios.training.folder import POLICY_FOLDER

TEST_FILE: Final = "test.json"


def final_test(
    case: Case,
    out: Path,
    *,
    n_days: int,
    n_processes: int,
    on_progress: Callable[[float], None] | None = None,
) -> MethodDays:
    """Test the best policy of a training folder, and write the result beside it.

    Args:
        case: What it was trained on.
        out: Training folder, finished.
        n_days: The first so many test days.
        n_processes: That share the days.
        on_progress: Called with the finished share.
    """
    policy = out / POLICY_FOLDER
    found = evaluate_method(
        case,
        f"{POLICY_PREFIX}{policy}",
        n_days=n_days,
        n_processes=n_processes,
        on_progress=on_progress,
    )
    summary = found.summary()
    with written_whole(out / TEST_FILE) as file:
        document = {
            "policy": found.identity,
            "summary": asdict(summary),
            "days": list(found.numbers),
            "facts": {name: value.tolist() for name, value in found.facts.arrays().items()},
        }
        file.write(json.dumps(document, indent=1).encode())
    result = Result(
        n_days=summary.violating.n_days,
        n_violating=summary.violating.n_violating,
        upper_bound=summary.upper_bound,
        cost_mean=summary.cost,
        violation_max_pu=None if summary.n_unsolved else summary.violation_max_pu,
        judged_by="OpenDSS",
    )
    card = read_card(policy)
    if card is not None:
        write_card(policy, replace(card, test=result))
    return found
