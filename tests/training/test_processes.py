"""Training in several processes: the same policies, one word about what went wrong, nobody left."""

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from functools import partial

import psutil
import pytest
import torch

from gradmap.errors import GradmapError
from gradmap.training.peers import Alone, loopback_name, rows_of
from scenarios.training.assistants import assisted
from scenarios.training.folder import read_history
from scenarios.training.run import train
from tests.conftest import REPOSITORY
from tests.training.small import SETTINGS, interrupt_at, weights


def test_two_processes_train_as_one(scenario, tmp_path):
    settings = SETTINGS.updated({"std_start": 0.05, "sample_share": 0.5})
    alone, together = tmp_path / "alone", tmp_path / "together"
    train(scenario, out=alone, settings=settings, dtype=torch.float64)
    both = settings.updated({"processes": 2})
    train(scenario, out=together, settings=both, dtype=torch.float64)
    wanted, found = weights(alone), weights(together)
    for name, value in wanted.items():
        torch.testing.assert_close(found[name], value, rtol=1e-7, atol=1e-9)
    for one, two in zip(read_history(alone), read_history(together), strict=True):
        assert two["value"] == pytest.approx(one["value"], rel=1e-9)
        assert two["edge_share"] == pytest.approx(one["edge_share"], rel=1e-9)
    assert not multiprocessing.active_children()


def test_two_processes_resume_to_the_bit(scenario, tmp_path):
    settings = SETTINGS.updated({"processes": 2})
    train(scenario, out=tmp_path / "whole", settings=settings)

    with pytest.raises(KeyboardInterrupt):
        train(scenario, out=tmp_path / "parts", settings=settings, on_step=interrupt_at(3))
    train(scenario, out=tmp_path / "parts", settings=settings)
    wanted, found = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert all(torch.equal(wanted[name], found[name]) for name in wanted)


def failing(peers):
    raise GradmapError("Days: `base_load_kw` is wrong here.")


def dying(peers):
    raise SystemExit(7)


class Waiting:
    """In place of a trainer: waits for the others."""

    def __init__(self, peers):
        self.peers = peers

    def run(self):
        while True:
            self.peers.add(torch.ones(1))
            yield None


@pytest.mark.parametrize(
    ("assist", "words"),
    [(failing, "base_load_kw` is wrong here"), (dying, "process 2 of 2 ended with exit code 7")],
)
def test_what_went_wrong_in_another_process_is_said(assist, words):
    with (
        pytest.raises(GradmapError, match=words),
        assisted(Waiting, assist=partial(assist), n_processes=2) as trainer,
    ):
        for _ in trainer.run():
            pass
    assert not multiprocessing.active_children()


SCRIPT = """
from scenarios.training.assistants import assisted
from tests.training.test_processes import Waiting

def main():
    with assisted(Waiting, assist=Waiting, n_processes=2) as trainer:
        for _ in trainer.run():
            pass
"""
GUARDED = f"{SCRIPT}\nif __name__ == '__main__':\n    main()\n"
UNGUARDED = f"{SCRIPT}\nmain()\n"


@contextmanager
def leading(*arguments):
    """A Python process with a process group of its own, as a shell gives; none of it is left."""
    leader = subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
    )
    with leader:
        try:
            yield leader
        finally:
            with suppress(ProcessLookupError):
                os.killpg(leader.pid, signal.SIGKILL)


def helpers_of(leader):
    children = psutil.Process(leader.pid).children()
    return [child for child in children if any("spawn_main" in word for word in child.cmdline())]


def test_ctrl_c_while_helpers_start_ends_all_at_once(tmp_path):
    (tmp_path / "script.py").write_text(GUARDED)
    with leading(tmp_path / "script.py") as leader:
        while not helpers_of(leader):
            assert leader.poll() is None
            time.sleep(0.01)
        os.killpg(leader.pid, signal.SIGINT)
        _, said = leader.communicate(timeout=60)
    assert leader.returncode == -signal.SIGINT
    assert said.count("Traceback") == 1  # the leader's


@pytest.mark.parametrize("way", ["no guard", "standard input"])
def test_helpers_that_cannot_start_are_said(tmp_path, way):
    (tmp_path / "script.py").write_text(UNGUARDED)
    arguments, script = (
        (["-"], GUARDED) if way == "standard input" else ([tmp_path / "script.py"], "")
    )
    with leading(*arguments) as leader:
        _, said = leader.communicate(script, timeout=60)
    assert leader.returncode == 1
    last = said.splitlines()[-1]
    assert "process 2 of 2 ended with exit code 1 before it could begin" in last
    assert 'if __name__ == "__main__":' in last


@pytest.mark.parametrize(
    ("names", "wanted"),
    [(["eth0", "lo"], "lo"), (["lo0", "gif0", "en0"], "lo0"), (["eth0"], None)],
)
def test_loopback_is_found_by_its_name_on_linux_and_macos(monkeypatch, names, wanted):
    monkeypatch.setattr(socket, "if_nameindex", lambda: list(enumerate(names, start=1)))
    assert loopback_name() == wanted


def test_rows_are_shared_without_gap():
    class Third(Alone):
        size = 3

    found = []
    for rank in range(3):
        peers = Third()
        peers.rank = rank
        found += list(range(16))[rows_of(16, peers=peers)]
    assert found == list(range(16))
