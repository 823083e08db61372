"""A training for TensorBoard: the numbers of `history.jsonl`, one scalar each."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradmap.errors import MissingExtraError

if TYPE_CHECKING:
    from scenarios.training.folder import Step


class TrainingBoard:
    """Writes every step's numbers into an event file."""

    def __init__(self, folder: Path) -> None:
        """Make sure that TensorBoard is there; files are written from the first step on.

        Args:
            folder: Of the event files, what `tensorboard --logdir` is given.

        Raises:
            MissingExtraError: The package `tensorboard` is not installed.
        """
        self._folder = folder
        self._new_writer = _writer_class()
        self._writer: Any = None

    def add(self, step: Step) -> None:
        """Write a step; the first one hides what an earlier training wrote of later steps."""
        iteration = step.report.iteration
        if self._writer is None:
            self._writer = self._new_writer(str(self._folder), purge_step=iteration)
        for name, value in scalars(step).items():
            self._writer.add_scalar(name, value, global_step=iteration)
        if step.report.validation is not None:
            self._writer.flush()

    def close(self) -> None:
        """Write what is left."""
        if self._writer is not None:
            self._writer.close()


def scalars(step: Step) -> dict[str, float]:
    """Return a step's numbers by the names that TensorBoard groups them by."""
    report = asdict(step.report)
    validation = report.pop("validation")
    found = {f"train/{name}": float(value) for name, value in report.items() if name != "iteration"}
    found["train/training_s"] = step.training_s
    if validation is not None:
        days = validation.pop("days")
        found |= {f"validation/{name}": float(value) for name, value in validation.items()}
        found["validation/violating_share"] = days["n_violating"] / days["n_days"]
    if step.cross_check is not None:
        found["opendss/max_pu"] = step.cross_check.max_pu
    return found


def _writer_class() -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415  optional, and slow
    except ImportError as exc:
        raise MissingExtraError(
            "Writing for TensorBoard needs the package `tensorboard`: "
            "pip install 'gradmap[tensorboard]'"
        ) from exc
    return SummaryWriter
