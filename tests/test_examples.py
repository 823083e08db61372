"""The examples run as they stand, in an empty folder."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from gradmap.training.settings import TrainingSettings
from tests.conftest import REPOSITORY
from tests.federates.helpers import federate_processes

EXAMPLES = REPOSITORY / "examples"
BIN = Path(sys.executable).parent

# Example to (a line of its output, files it leaves).
EXPECTED = {
    "from_python.py": ("rule_based   peak", ["runs/from_python/report.html"]),
    "grid_in_your_federation.py": ("    0 kW: lowest 0.9", ["grid.json"]),
    "homes_on_your_grid.py": ("23.75 h", ["homes/rule_based/federates/agents.json"]),
}


def test_every_example_is_run_here():
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(EXPECTED)


@pytest.mark.federation
@pytest.mark.parametrize("name", EXPECTED)
def test_example_runs(tmp_path, name):
    shutil.copy(EXAMPLES / name, tmp_path)
    done = subprocess.run(
        [sys.executable, name],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    line, files = EXPECTED[name]
    assert line in done.stdout, done.stdout
    for file in files:
        assert (tmp_path / file).is_file()
    assert federate_processes() == []


@pytest.mark.parametrize(
    "path", sorted((EXAMPLES / "feeders").glob("*.yaml")), ids=lambda p: p.stem
)
def test_comments_of_examples_set_nothing_that_is_the_default(path):
    (command,) = re.findall(r"gradmap train .*", path.read_text(encoding="utf-8"))
    assert path.name in command
    for name, value in re.findall(r"--set (\S+?)=(\S+)", command):
        settings = TrainingSettings()
        assert settings.updated({name: yaml.safe_load(value)}) != settings, command
