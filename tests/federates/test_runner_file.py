"""`helics run` on our runner file gives the numbers of our own supervisor."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import orjson
import pytest

from federates.broker import free_ports
from scenarios.results import open_run
from scenarios.runner_file import write_runner_files
from tests.federates.helpers import Prepared, make_scenario, run_twin

BIN = Path(sys.executable).parent


@pytest.mark.federation
def test_helics_run_gives_the_values_of_the_in_process_run(tmp_path):
    scenario = make_scenario(population={"n_households": 12})
    folder = tmp_path / "ours"
    (runner,) = write_runner_files(scenario, out=folder)
    reference = run_twin(Prepared(scenario=scenario, folder=folder), name="ref", in_process=True)
    done = subprocess.run(
        [BIN / "helics", "run", f"--path={runner}"],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    theirs, ours = open_run(folder), open_run(reference)
    quantities = ours.quantities("rule_based")
    assert theirs.quantities("rule_based") == quantities
    assert len(quantities) == 16
    for name in quantities:
        left, right = theirs.frame("rule_based", name), ours.frame("rule_based", name)
        assert list(left.columns) == list(right.columns)
        assert len(left) == 24
        np.testing.assert_allclose(left, right, rtol=0, atol=1e-9, err_msg=name)


def test_a_block_that_is_spoken_for_is_not_given_again(monkeypatch):
    drawn = iter([7, 7, 3])
    monkeypatch.setattr("federates.broker.secrets.randbelow", lambda _: next(drawn))
    first = free_ports(6)
    assert free_ports(6, taken=[first]) != first


def test_every_controller_has_a_runner_with_ports_of_its_own(tmp_path):
    scenario = make_scenario(
        population={"n_households": 12},
        controllers=["no_control", "rule_based"],
        federation={"household_processes": 2},
    )
    runners = write_runner_files(scenario, out=tmp_path / "run")
    ports = set()
    for path, controller in zip(runners, scenario.controllers, strict=True):
        assert path == tmp_path / "run" / controller / "runner.json"
        runner = orjson.loads(path.read_bytes())
        broker, *federates = runner["federates"]
        assert runner["broker"] is False
        assert "helics_broker -f 6 " in broker["exec"]
        assert [federate["name"] for federate in federates] == [
            "environment",
            "households_1",
            "households_2",
            "agents",
            "grid",
            "recorder",
        ]
        config = orjson.loads((path.parent / "federates" / "grid.json").read_bytes())
        assert f"--port={config['broker']['port']} " in broker["exec"]
        ports.add(config["broker"]["port"])
    assert len(ports) == 2
