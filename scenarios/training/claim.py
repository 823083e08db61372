"""Whether a folder can become a training folder, or be gone on with, before anything is drawn."""

from __future__ import annotations

import os
from pathlib import Path

from gradmap.errors import ScenarioError
from gradmap.training.progress_file import PROGRESS_FILE
from scenarios.training.folder import (
    FIGURE_FILE,
    HISTORY_FILE,
    POLICY_FOLDER,
    RUN_FILE,
    read_history,
    read_run,
)
from scenarios.training.tested import TEST_FILE


def claim_folder(path: Path) -> None:
    """Make a training folder, or refuse one that cannot be gone on with; nothing in it changes.

    What was ended before its first validation left nothing to go on from, and begins anew.

    Args:
        path: Training folder.

    Raises:
        ScenarioError: It cannot be made or written to, or holds a part of a training only.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise _refusal(path, f"cannot be made ({exc.strerror})") from exc
    if not os.access(path, os.W_OK | os.X_OK):
        raise _refusal(path, "cannot be written to")
    if (path / PROGRESS_FILE).is_file():
        if not (path / HISTORY_FILE).is_file():
            raise _refusal(
                path,
                f"holds {PROGRESS_FILE} but no {HISTORY_FILE}, which says how long that took",
            )
        return
    kept = _results_in(path)
    if kept:
        raise _refusal(
            path,
            f"holds {', '.join(kept)} but no {PROGRESS_FILE} to go on from, so training anew would "
            f"replace them",
        )


def _results_in(path: Path) -> list[str]:
    """Return what a training would replace and nobody could make again: all but a mere beginning.

    Files of the same names that no training wrote are among them.
    """
    found = [name for name in (POLICY_FOLDER, TEST_FILE, FIGURE_FILE) if (path / name).exists()]
    if (path / HISTORY_FILE).is_file() and any(
        row.get("validation", "not ours") is not None for row in read_history(path)
    ):
        found.append(HISTORY_FILE)
    if (path / RUN_FILE).is_file() and (
        read_run(path).get("best_validation", "not ours") is not None
    ):
        found.append(RUN_FILE)
    return found


def _refusal(path: Path, reason: str) -> ScenarioError:
    return ScenarioError(
        f"Training folder {str(path)!r} {reason}. Choose another with --out, put back what is "
        f"missing, or delete the folder."
    )
