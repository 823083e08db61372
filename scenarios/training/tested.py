"""OUT/test.json: what the test of a training's best policy found, and of which policy it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from gradmap.errors import ScenarioError
from gradmap.policies.card import Result
from gradmap.training.validation import THRESHOLD_PU

TEST_FILE: Final = "test.json"


def read_test(out: Path, *, policy_sha256: str) -> dict[str, Any] | None:
    """Return the test document of a training folder, or None if the policy was not tested.

    Args:
        out: Training folder.
        policy_sha256: Hash of the policy's tensors file; a test of another policy is no test.

    Raises:
        ScenarioError: `test.json` cannot be read.
    """
    path = out / TEST_FILE
    if not path.is_file():
        return None
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        tested = document["policy"]
    except (ValueError, KeyError, TypeError) as exc:
        raise ScenarioError(
            f"Test result {str(path)!r} cannot be read ({exc!r}). Delete it; the policy is then "
            f"tested again."
        ) from exc
    return document if tested == policy_sha256 else None


def card_result(document: dict[str, Any]) -> Result:
    """Return a test document's summary as model cards hold it."""
    summary, facts = document["summary"], document["facts"]
    by_day = zip(facts["violation_pu"], facts["n_unsolved"], strict=True)
    return Result(
        n_days=summary["violating"]["n_days"],
        n_violating=summary["violating"]["n_violating"],
        upper_bound=summary["upper_bound"],
        cost_mean=summary["cost"],
        violation_max_pu=None if summary["n_unsolved"] else summary["violation_max_pu"],
        judged_by="OpenDSS",
        threshold_pu=THRESHOLD_PU,
        n_outside=sum(outside_pu > 0.0 or unsolved > 0 for outside_pu, unsolved in by_day),
        n_overloaded=summary.get("n_overloaded"),
    )
