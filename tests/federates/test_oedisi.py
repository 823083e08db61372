"""Our federates as OEDISI components, with and without OEDISI itself."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import federates.oedisi
from federates.broker import free_ports
from federates.child_environment import KEY_VARIABLE
from federates.oedisi import PORTS, component_definition, read_component_config
from federates.topics import ALL_PORTS, encode_oedisi
from gradmap.errors import ScenarioError
from scenarios.loading import load_scenario
from scenarios.results import open_run
from scenarios.run import prepare
from tests.conftest import REPOSITORY
from tests.federates.helpers import Prepared, run_twin

COMPONENTS = Path(federates.oedisi.__file__).parent / "components"
EXAMPLE = REPOSITORY / "examples" / "oedisi"
BIN = Path(sys.executable).parent

needs_oedisi = pytest.mark.skipif(
    importlib.util.find_spec("oedisi") is None, reason="the package `oedisi` is not installed"
)


@pytest.mark.parametrize("kind", PORTS)
def test_shipped_definitions_are_those_of_the_code(kind):
    shipped = json.loads((COMPONENTS / kind / "component_definition.json").read_text())
    assert shipped == component_definition(kind)


def test_no_definition_is_shipped_for_anything_else():
    assert {path.name for path in COMPONENTS.iterdir()} == set(PORTS)


# ------------------------------------------------------------------- what `oedisi build` leaves us


def build_folder(folder: Path, **static: object) -> Path:
    data = {
        "name": "grid",
        "schedule": {"dt_s": 900, "n_steps": 4},
        "settings": {"kind": "grid"},
        **static,
    }
    (folder / "static_inputs.json").write_text(json.dumps(data))
    (folder / "input_mapping.json").write_text('{"powers_real": "homes/powers_real"}')
    return folder


def test_a_build_folder_becomes_a_configuration(tmp_path, monkeypatch):
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    broker = {"host": "10.0.0.1", "port": 24_001, "key": "secret"}
    config = read_component_config(build_folder(tmp_path, broker=broker, coreType="tcp"))
    assert (config.name, config.encoding, config.settings.kind) == ("grid", "oedisi", "grid")
    assert config.subscriptions == {"powers_real": ("homes/powers_real",)}
    assert config.broker.model_dump() == {"host": "10.0.0.1", "port": 24_001, "core_type": "tcp"}
    assert os.environ[KEY_VARIABLE] == "secret"
    assert "secret" not in config.model_dump_json()


def test_a_build_folder_without_broker_uses_the_defaults_of_helics(tmp_path):
    config = read_component_config(build_folder(tmp_path))
    assert config.broker.model_dump() == {"host": "127.0.0.1", "port": None, "core_type": "zmq"}


@pytest.mark.parametrize(
    ("static", "said"),
    [
        ({"settings": {"kind": "grid", "feedr": "x"}}, "`settings.grid.feedr` is 'x': Extra"),
        ({"schedule": None}, "`schedule` is None: "),
        ({"coreType": "mpi"}, "`broker.core_type` is 'mpi': Input should be 'zmq'"),
    ],
)
def test_wrong_parameters_are_named(tmp_path, static, said):
    with pytest.raises(ScenarioError) as caught:
        read_component_config(build_folder(tmp_path, **static))
    assert f"OEDISI static_inputs.json in {tmp_path}: " in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize(("text", "said"), [("[]", "holds a list"), ("{", "is not JSON")])
def test_a_damaged_build_folder_is_refused(tmp_path, text, said):
    build_folder(tmp_path)
    (tmp_path / "input_mapping.json").write_text(text)
    with pytest.raises(ScenarioError, match=said):
        read_component_config(tmp_path)


# ------------------------------------------------------------------------------------ the example


def test_the_example_wires_every_port_once():
    system = json.loads((EXAMPLE / "system.json").read_text())
    types = {component["name"]: component["type"] for component in system["components"]}
    kinds = set(PORTS) - {"hems"}  # it takes the place of `agents`
    assert set(types.values()) == kinds
    wired = set()
    for link in system["links"]:
        source = component_definition(types[link["source"]])["dynamic_outputs"]
        target = component_definition(types[link["target"]])["dynamic_inputs"]
        assert link["source_port"] in {port["port_id"] for port in source}
        assert link["target_port"] in {port["port_id"] for port in target}
        wired.add((link["target"], link["target_port"]))
    assert len(wired) == len(system["links"])
    assert wired == {(kind, port.name) for kind in kinds for port in PORTS[kind][0]}
    for path in json.loads((EXAMPLE / "components.json").read_text()).values():
        assert (EXAMPLE / path).is_file()


@needs_oedisi
@pytest.mark.parametrize("port", ALL_PORTS, ids=lambda port: port.name)
def test_messages_are_valid_in_oedisi(port):
    from oedisi.types import data_types  # noqa: PLC0415  not installed everywhere

    start = load_scenario(EXAMPLE / "homes.yaml").time.start
    text = encode_oedisi(port, np.array([0.1, 2.0]), ids=("a", "b"), time=start)
    message = getattr(data_types, port.oedisi_type).model_validate_json(text, strict=True)
    assert message.values == [0.1, 2.0]
    assert message.ids == ["a", "b"]
    assert message.units == port.units
    assert message.time == start


@needs_oedisi
@pytest.mark.federation
def test_the_example_builds_and_runs_and_gives_our_numbers(tmp_path):
    here = tmp_path / "examples" / "oedisi"
    shutil.copytree(EXAMPLE, here)
    (tmp_path / "federates").symlink_to(COMPONENTS.parent)
    scenario = load_scenario(here / "homes.yaml")
    prepare(scenario, folder=here / "run")
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    for arguments in (["build", f"--helics-port={free_ports(5)}"], ["run"]):
        done = subprocess.run(
            [BIN / "oedisi", *arguments],
            cwd=here,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    prepared = Prepared(scenario=scenario, folder=here / "run")
    ours = open_run(run_twin(prepared, name="ours", in_process=True))
    (here / "run" / "rule_based").mkdir()
    (here / "results").rename(here / "run" / "rule_based" / "results")
    theirs = open_run(here / "run")
    quantities = ours.quantities("rule_based")
    assert theirs.quantities("rule_based") == quantities
    for name in quantities:
        frame = theirs.frame("rule_based", name)
        assert len(frame) == 4
        reference = ours.frame("rule_based", name).iloc[:4]
        np.testing.assert_allclose(frame, reference, rtol=0, atol=1e-9, err_msg=name)
