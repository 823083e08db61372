"""What can be watched: the figure, TensorBoard, the progress line."""

import json
import sys
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from gradmap.errors import MissingExtraError
from gradmap.training.progress import Report
from gradmap.training.validation import Validation
from gradmap.violation_summary import Share
from scenarios.cli.train import _line
from scenarios.training.board import TrainingBoard, scalars
from scenarios.training.cross_check import CrossCheck
from scenarios.training.figure import training_figure, write_training_figure
from scenarios.training.folder import Step, read_history

VALIDATION = Validation(
    cost=5000.0,
    days=Share(n_days=4, n_violating=1),
    n_outside=2,
    violation_mean_pu=0.001,
    violation_max_pu=0.002,
    margin_high_pu=0.01,
    margin_low_pu=0.02,
    comfort_k_h=1.0,
    clipped_kwh=2.0,
    shortfall_kwh=0.0,
)
REPORT = Report(
    iteration=3,
    value=1.2,
    cost=6000.0,
    violation=4.5,
    multiplier_sum=7.25,
    multiplier_max=0.5,
    n_epochs=4,
    edge_share=0.25,
    radius=0.1,
    n_unsolved=0,
    validation=VALIDATION,
    seconds=2.0,
    validation_s=0.5,
)
STEP = Step(
    report=REPORT,
    training_s=60.0,
    cross_check=CrossCheck(
        n_situations=1, max_pu=1e-6, p99_pu=1e-6, mean_pu=1e-7, tolerance_pu=1e-5
    ),
)


def test_figure_is_drawn_and_names_every_curve(trained):
    root = ElementTree.fromstring((trained / "training.svg").read_text())
    words = " ".join(node.text or "" for node in root.iter("{http://www.w3.org/2000/svg}text"))
    for word in ("cost", "violating", "Largest violation", "sum", "largest", "edge", "min"):
        assert word in words
    assert "3 days violating" in root.attrib["aria-label"]


def test_figure_follows_the_numbers(trained):
    rows = read_history(trained)
    title = {"title": "T", "currency": "EUR"}
    figure = str(training_figure(rows, **title).image)
    changed = json.loads(json.dumps(rows))
    changed[3]["validation"]["violation_max_pu"] *= 2.0
    assert str(training_figure(changed, **title).image) != figure
    changed[3]["validation"]["violation_max_pu"] = float("inf")  # a flow without solution
    assert "inf" not in str(training_figure(changed, **title).image)
    assert training_figure(rows[:1], **title).image  # before any validation


def test_no_history_is_no_figure(tmp_path):
    write_training_figure([], tmp_path / "training.svg", title="T", currency="EUR")
    assert not list(tmp_path.iterdir())


def test_progress_line_says_what_matters():
    line = _line(STEP)
    for words in ("cost 6,000", "violation 4.50", "multipliers 7.25", "at edge 25 %", "1 of 4"):
        assert words in line


def test_without_tensorboard_the_message_names_the_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'gradmap\[tensorboard\]'"):
        TrainingBoard(tmp_path)


def test_scalars_are_the_history():
    found = scalars(STEP)
    assert found["train/multiplier_sum"] == 7.25
    assert found["validation/violating_share"] == 0.25
    assert found["opendss/max_pu"] == 1e-6
    quiet = scalars(replace(STEP, report=replace(REPORT, validation=None), cross_check=None))
    assert all(name.startswith("train/") for name in quiet)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard_reads_what_was_written(tmp_path):
    pytest.importorskip("tensorboard", reason="extra `tensorboard` is not installed")
    from tensorboard.backend.event_processing.event_accumulator import (  # noqa: PLC0415
        EventAccumulator,
    )

    board = TrainingBoard(tmp_path)
    for iteration in (3, 4):
        board.add(replace(STEP, report=replace(REPORT, iteration=iteration, cost=iteration * 1.0)))
    board.close()
    again = TrainingBoard(tmp_path)  # resumed at 4: what was written of it is hidden
    again.add(replace(STEP, report=replace(REPORT, iteration=4, cost=7.0)))
    again.close()
    events = EventAccumulator(str(tmp_path)).Reload().Scalars("train/cost")
    assert [(event.step, event.value) for event in events] == [(3, 3.0), (4, 7.0)]
