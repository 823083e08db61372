"""The wheel holds what the tool needs, and works outside the checkout."""

import os
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from federates.oedisi import PORTS
from scenarios.loading import bundled_scenarios
from tests.cli.helpers import write_scenario
from tests.conftest import REPOSITORY

OLDEST_SETUPTOOLS = 77  # as in pyproject.toml
PACKAGES = ("gradmap", "opendss_models", "federates", "scenarios")
FILES = ("pyproject.toml", "setup.cfg", "README.md", "LICENSE")


def setuptools_version() -> int:
    """Major version of the installed setuptools, 0 without."""
    try:
        return int(metadata.version("setuptools").split(".")[0])
    except metadata.PackageNotFoundError:
        return 0


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built from a copy, so that no build folder of the checkout gets in."""
    if setuptools_version() < OLDEST_SETUPTOOLS:
        pytest.skip(
            f"setuptools>={OLDEST_SETUPTOOLS} is not installed; the build downloads nothing"
        )
    source = tmp_path_factory.mktemp("source")
    for name in PACKAGES:
        shutil.copytree(
            REPOSITORY / name, source / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name in (*FILES, "tests", "examples"):
        path = REPOSITORY / name
        if path.is_dir():
            shutil.copytree(path, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif path.is_file():
            shutil.copy(path, source)
    target = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation"),
            *("--quiet", "--disable-pip-version-check", "--wheel-dir", str(target), str(source)),
        ],
        check=True,
        timeout=120,
    )
    (path,) = target.glob("gradmap-*.whl")
    return path


def test_wheel_holds_modules_and_data_and_nothing_else(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for package in PACKAGES:
        for path in (REPOSITORY / package).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert str(path.relative_to(REPOSITORY)) in names
    assert {f"scenarios/{name}.yaml" for name in bundled_scenarios()} <= names
    assert {f"federates/components/{kind}/component_definition.json" for kind in PORTS} <= names
    assert "opendss_models/ieee123/master.dss" in names
    assert any(name.startswith("scenarios/report/templates/") for name in names)
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)


def test_wheel_works_outside_the_checkout(wheel, tmp_path):
    unpacked = tmp_path / "unpacked"
    zipfile.ZipFile(wheel).extractall(unpacked)
    code = (
        "import gradmap\n"
        "from pathlib import Path\n"
        "from scenarios.loading import load_scenario, bundled_scenarios\n"
        "from scenarios.outputs import write_outputs\n"
        "from scenarios.run import run_scenario\n"
        "loaded = [load_scenario(path) for path in bundled_scenarios().values()]\n"
        "run = run_scenario(load_scenario(Path('my.yaml')), out=Path('run'), in_process=True)\n"
        "write_outputs(run)\n"
        "print(gradmap.__file__, len(loaded), len(run.feeder['connections']))"
    )
    write_scenario(tmp_path)
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    file, n_scenarios, n_connections = done.stdout.split()
    assert Path(file).is_relative_to(unpacked)
    assert int(n_scenarios) == len(bundled_scenarios())
    assert int(n_connections) == 95
    assert (tmp_path / "run" / "report.html").is_file()
