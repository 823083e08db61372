"""The command line as a user calls it, and scenarios that run in seconds."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from scenarios.cli.main import main
from tests.federates.helpers import SMALL as FEDERATION_SMALL

# Smaller still than the federation's small scenario, and the cheapest controller.
SMALL: dict[str, Any] = {
    **FEDERATION_SMALL,
    "population": {
        key: value
        for key, value in {**FEDERATION_SMALL["population"], "n_households": 12}.items()
        if key != "pv_share"
    },
    "controllers": ["no_control"],
}


def write_scenario(folder: Path, **changes: Any) -> Path:
    """The small scenario with some sections updated, as a file."""
    data = {
        **SMALL,
        **{
            key: {**SMALL.get(key, {}), **value} if isinstance(value, dict) else value
            for key, value in changes.items()
        },
    }
    path = folder / "my.yaml"
    path.write_text(yaml.safe_dump(data))
    return path


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


class CommandLine:
    """Calls `gradmap` in this process, through the same entry as the console script."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str | Path) -> Ended:
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main([str(argument) for argument in arguments])
        captured = self._capsys.readouterr()
        code = caught.value.code
        assert isinstance(code, int)
        return Ended(code=code, out=captured.out, err=captured.err)


def in_shell(*arguments: str | Path, cwd: Path, timeout: float = 120) -> Ended:
    """Calls `gradmap` as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "scenarios.cli.main", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return Ended(code=done.returncode, out=done.stdout, err=done.stderr)
