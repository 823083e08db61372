"""`gradmap study scale` measures a training of its own size, once."""

import json

from tests.cli.helpers import CommandLine
from tests.small_case import write_small_scenario


def test_a_cell_is_measured_once_and_adds_up(tmp_path, capsys):
    gradmap = CommandLine(capsys)
    scenario = write_small_scenario(tmp_path)
    call = ("study", "scale", scenario, "--agents", "12", "--batches", "2", "--results", tmp_path)
    (row,) = json.loads(gradmap(*call, "--json").out)
    assert (row["n_agents"], row["batch_days"], row["method"]) == (12, 2, "proximal")
    assert 0.0 < row["look_s"] <= row["iteration_s"]
    assert row["peak_memory_mb"] > 50.0
    again = gradmap(*call)
    assert again.code == 0
    assert f"{row['iteration_s']:.2f}" in again.out
    assert len(list((tmp_path / "scale").iterdir())) == 1
