"""Whatever kills a federation, the run ends soon, says who, and leaves nothing behind."""

import errno
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import orjson
import psutil
import pyarrow.parquet as pq
import pytest

from federates.child_environment import child_environment
from federates.config import BrokerAddress, FederateConfig
from federates.supervisor import Watchdogs, run_federation
from gradmap.errors import FederationError
from opendss_models.feeders import feeder_path
from scenarios.federation import federate_configs
from scenarios.run import prepare
from tests.federates.helpers import Prepared, federate_processes, make_scenario, run_twin

FEDERATES = ("environment", "households_1", "agents", "grid", "recorder")
LIMIT_S = 10.0
LONG = {"time": {"days": 365, "step_min": 15}, "population": {"n_households": 12}}

pytestmark = pytest.mark.federation


def configs_of(run: Prepared, results_folder: Path) -> tuple[FederateConfig, ...]:
    return federate_configs(
        run.scenario,
        controller="no_control",
        inputs_folder=run.folder / "inputs",
        results_folder=results_folder,
    )


class Launch:
    """A federation in a thread, so that the test can do harm to it."""

    def __init__(self, run: Prepared, *, watchdogs: Watchdogs | None = None) -> None:
        # Each launch of a shared run folder records into a folder of its own.
        n_launches = len(list(run.folder.glob("launch*/federates")))
        self.folder = run.folder / f"launch{n_launches}"
        self.folder.mkdir(exist_ok=True)
        self.share = 0.0
        self.error: Exception | None = None
        self.ended_s = 0.0
        self._configs = configs_of(run, self.folder / "results")
        self._watchdogs = watchdogs
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def _work(self) -> None:
        try:
            run_federation(
                self._configs,
                config_folder=self.folder / "federates",
                log_folder=self.folder / "logs",
                watchdogs=self._watchdogs,
                on_progress=self._progress,
            )
        except FederationError as exc:
            self.error = exc
        self.ended_s = time.monotonic()

    def _progress(self, share: float) -> None:
        self.share = share

    def wait_until_running(self) -> None:
        deadline = time.monotonic() + 90
        while self.share == 0.0 and self._thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert self.share > 0, f"did not start: {self.error}"

    def pid_of(self, name: str) -> int:
        for process in federate_processes():
            if f"/{name}.json" in " ".join(process.cmdline()):
                return process.pid
        raise AssertionError(f"{name} is not running")

    def join(self) -> None:
        self._thread.join(timeout=120)
        assert not self._thread.is_alive()

    def port(self) -> int:
        config = orjson.loads((self.folder / "federates" / "grid.json").read_bytes())
        return int(config["broker"]["port"])


def assert_nothing_left(launch: Launch) -> None:
    assert federate_processes() == []
    for port in (launch.port(), launch.port() + 1):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED
    assert not list(launch.folder.rglob("*.partial"))


@pytest.fixture(scope="module")
def long_run(tmp_path_factory) -> Prepared:
    scenario = make_scenario(**LONG)
    folder = tmp_path_factory.mktemp("long") / "run"
    prepare(scenario, folder=folder)
    return Prepared(scenario=scenario, folder=folder)


@pytest.mark.parametrize("name", FEDERATES)
def test_killed_federate_ends_the_run_by_name(long_run, name):
    launch = Launch(long_run)
    launch.wait_until_running()
    os.kill(launch.pid_of(name), signal.SIGKILL)
    killed_s = time.monotonic()
    launch.join()
    assert launch.ended_s - killed_s < LIMIT_S
    assert isinstance(launch.error, FederationError)
    assert f"'{name}' was killed by signal 9 (SIGKILL)" in str(launch.error)
    assert f"{name}.log" in str(launch.error)
    assert_nothing_left(launch)


def break_environment(run: Prepared) -> str:
    (run.folder / "inputs/series/environment/part-00001.parquet").unlink()
    return "environment"


def break_homes(run: Prepared) -> str:
    (run.folder / "inputs/series/base_load_kw/part-00001.parquet").write_bytes(b"not parquet")
    return "households_1"


def break_grid(run: Prepared) -> str:
    (Path(run.scenario.feeder.source).parent / "lines.dss").unlink()
    return "grid"


def break_recorder(run: Prepared) -> str:
    results = run.folder / "launch0" / "results"
    results.parent.mkdir()
    results.write_text("a file where a folder should be")
    return "recorder"


@pytest.mark.parametrize(
    "harm", [break_environment, break_homes, break_grid, break_recorder], ids=lambda f: f.__name__
)
def test_exception_in_a_federate_ends_the_run_by_name(prepared, harm, tmp_path):
    feeder = shutil.copytree(feeder_path("ieee123").parent, tmp_path / "feeder") / "master.dss"
    run = prepared(
        time={"days": 4},
        federation={"part_steps": 24},
        population={"n_households": 12},
        feeder={"source": str(feeder)},
    )
    name = harm(run)
    launch = Launch(run)
    launch.join()
    assert isinstance(launch.error, FederationError)
    assert f"'{name}' failed: " in str(launch.error)
    log = launch.folder / "logs" / f"{name}.log"
    assert str(log) in str(launch.error)
    assert "ERROR" in log.read_text()
    assert_nothing_left(launch)


def test_exception_in_agents_names_the_missing_policy(prepared):
    run = prepared(population={"n_households": 12})
    configs = federate_configs(
        run.scenario,
        controller=f"policy:{run.folder / 'no_such_policy'}",
        inputs_folder=run.folder / "inputs",
        results_folder=run.folder / "no_control" / "results",
    )
    with pytest.raises(FederationError, match=r"'agents' failed: .*no_such_policy"):
        run_federation(
            configs, config_folder=run.folder / "federates", log_folder=run.folder / "logs"
        )
    assert federate_processes() == []


def test_federate_that_never_joins_is_named(prepared):
    """A named pipe in place of an input blocks the federate before it joins, without load."""
    run = prepared(population={"n_households": 12})
    fleet_file = run.folder / "inputs/devices/battery.csv"
    fleet_file.unlink()
    os.mkfifo(fleet_file)
    started_s = time.monotonic()
    launch = Launch(run, watchdogs=Watchdogs(join_quiet_s=3.0))
    launch.join()
    assert "never joined the federation (joined: " in str(launch.error)
    assert "'households_1'" in str(launch.error) or "'agents'" in str(launch.error)
    assert launch.ended_s - started_s < 60
    assert_nothing_left(launch)


def test_frozen_federate_is_noticed(long_run):
    launch = Launch(long_run, watchdogs=Watchdogs(stall_timeout_s=2.0))
    launch.wait_until_running()
    os.kill(launch.pid_of("grid"), signal.SIGSTOP)
    stopped_s = time.monotonic()
    launch.join()
    assert "'grid' is stopped" in str(launch.error)
    assert launch.ended_s - stopped_s < LIMIT_S
    assert_nothing_left(launch)


def test_federate_that_hangs_in_a_step_is_named(prepared):
    """The second part of the weather is a named pipe that nobody writes to."""
    run = prepared(time={"days": 4}, federation={"part_steps": 24}, population={"n_households": 12})
    part = run.folder / "inputs/series/environment/part-00001.parquet"
    part.unlink()
    os.mkfifo(part)
    launch = Launch(run, watchdogs=Watchdogs(stall_timeout_s=2.0))
    launch.join()
    assert "'environment' is stuck at 86400 s" in str(launch.error)
    assert_nothing_left(launch)


def run_in_shell(run: Prepared) -> subprocess.Popen[bytes]:
    code = (
        "import sys; from pathlib import Path; from scenarios.run import run_controller;"
        "from scenarios.loading import load_scenario; folder = Path(sys.argv[1]);"
        "s = load_scenario(folder / 'scenario.yaml');"
        "print(run_controller(s, controller='no_control', folder=folder).exit, flush=True)"
    )
    return subprocess.Popen([sys.executable, "-c", code, str(run.folder)], stdout=subprocess.PIPE)


def wait_for_parts(folder: Path, n: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 90
    while len(list(folder.glob("part-*.parquet"))) < n:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_ctrl_c_keeps_what_was_recorded(prepared):
    run = prepared(**LONG)
    process = run_in_shell(run)
    wait_for_parts(run.folder / "no_control/results/v_pu", 1, process)
    time.sleep(1.0)  # some hundred steps into the next part, which must not be lost either
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert out.strip() == b"interrupted"
    info = orjson.loads((run.folder / "no_control/run.json").read_bytes())
    assert info["exit"] == "interrupted"
    assert info["n_steps_recorded"] > run.scenario.federation.part_steps
    assert info["health"]["missing_steps"] == info["n_steps"] - info["n_steps_recorded"]


def test_killed_supervisor_takes_its_federates_along(long_run):
    process = run_in_shell(long_run)
    deadline = time.monotonic() + 60
    children: list[psutil.Process] = []
    while len(children) < len(FEDERATES):
        assert time.monotonic() < deadline
        children = psutil.Process(process.pid).children()
        time.sleep(0.1)
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()
    _, alive = psutil.wait_procs(children, timeout=LIMIT_S)
    assert alive == []


def test_two_runs_at_once_have_the_results_they_have_alone(prepared):
    runs = [
        prepared(seed=seed, population={"n_households": 12}, controllers=["no_control"])
        for seed in (1, 2)
    ]
    launches = [Launch(run) for run in runs]
    for launch in launches:
        launch.join()
        assert launch.error is None
    ports = [launch.port() for launch in launches]
    assert abs(ports[0] - ports[1]) >= 100
    assert federate_processes() == []
    for number, (run, launch) in enumerate(zip(runs, launches, strict=True)):
        alone = run_twin(run, name=f"alone{number}", in_process=True)
        for path in sorted((alone / "no_control/results").rglob("*.parquet")):
            beside = launch.folder / path.relative_to(alone / "no_control")
            assert pq.read_table(beside).equals(pq.read_table(path)), path


def test_federate_without_a_broker_says_so(prepared):
    """A foreign user's mistake: the broker was never started."""
    run = prepared(population={"n_households": 12})
    config = configs_of(run, run.folder)[0].model_copy(
        update={"broker": BrokerAddress(port=24_998)}
    )
    path = run.folder / "alone.json"
    path.write_text(config.model_dump_json())
    done = subprocess.run(
        [sys.executable, "-m", "federates", "--config", str(path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "could not join the broker at 127.0.0.1:24998" in done.stderr


def test_killed_broker_ends_the_run_with_a_message(long_run):
    launch = Launch(long_run)
    launch.wait_until_running()
    broker = next(p for p in federate_processes() if "federates.broker_process" in p.cmdline())
    broker.kill()
    killed_s = time.monotonic()
    launch.join()
    assert launch.ended_s - killed_s < LIMIT_S
    assert "broker process has died" in str(launch.error)
    assert_nothing_left(launch)


def test_children_do_not_inherit_credentials(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    monkeypatch.setenv("PGPASSWORD", "secret")
    monkeypatch.setenv("GRADMAP_TEST_HARMLESS", "kept")
    environment = child_environment("broker-key")
    assert "secret" not in environment.values()
    assert environment["GRADMAP_TEST_HARMLESS"] == "kept"
    assert environment["HELICS_BROKER_KEY"] == "broker-key"
