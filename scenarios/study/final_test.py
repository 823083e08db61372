"""The last word on trained policies: test days that training never saw, judged by OpenDSS.

OUT/test.json             every test day
OUT/policy/card.json      the model card, now with the result
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from gradmap.baselines.registry import POLICY_PREFIX
from gradmap.files import written_whole
from gradmap.policies.card import read_card, write_card
from scenarios.case import Case
from scenarios.study.method_days import DayFacts
from scenarios.study.methods import MethodDays, evaluate_method, keep, method_identity
from scenarios.study.results_folder import ResultsFolder
from scenarios.training.folder import POLICY_FOLDER
from scenarios.training.tested import TEST_FILE, card_result, read_test


def final_test(
    case: Case,
    out: Path,
    *,
    n_days: int,
    n_processes: int,
    folder: ResultsFolder | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> MethodDays:
    """Test the best policy of a training folder, and write the result beside it.

    One that was tested on the same days before is not tested again.

    Args:
        case: What it was trained on.
        out: Training folder, finished.
        n_days: The first so many test days.
        n_processes: That share the days.
        folder: Where the result is kept besides, for comparisons; None keeps it beside the policy
            only.
        on_progress: Called with the finished share.
    """
    policy = out / POLICY_FOLDER
    controller = f"{POLICY_PREFIX}{policy}"
    before = read_test(out, policy_sha256=method_identity(controller))
    if before is not None and before["days"] == list(range(n_days)):
        kept = _from_document(before, controller=controller)
        if folder is not None:
            keep(kept, case=case, folder=folder)
        return kept
    found = evaluate_method(
        case,
        controller,
        n_days=n_days,
        folder=folder,
        n_processes=n_processes,
        on_progress=on_progress,
    )
    document = {
        "policy": found.identity,
        "summary": asdict(found.summary()),
        "days": list(found.numbers),
        "seconds": round(found.seconds, 1),
        "facts": found.facts.lists(),
    }
    with written_whole(out / TEST_FILE) as file:
        file.write(json.dumps(document, indent=1).encode())
    card = read_card(policy)
    if card is not None:
        write_card(policy, replace(card, test=card_result(document)))
    return found


def _from_document(document: dict[str, Any], *, controller: str) -> MethodDays:
    return MethodDays(
        controller=controller,
        identity=document["policy"],
        numbers=tuple(document["days"]),
        facts=DayFacts.listed(document["facts"]),
        seconds=document.get("seconds", 0.0),
    )
