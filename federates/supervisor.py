"""Start a federation, watch it, and tell the truth about how it ended.

The supervisor owns broker and processes. It watches process ids (HELICS notices a killed federate
only after tens of seconds), life before joining, and the granted times. Whatever goes wrong, every
federate is stopped, the message names the federate that failed first and its log, and nothing is
left behind.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import psutil

from federates.broker import Broker
from federates.child_environment import child_environment
from federates.config import FederateConfig
from federates.granted_time import granted_time_path, read_granted_time
from federates.interrupts import end_as_interrupt
from gradmap.errors import FederationError

POLL_S = 0.05
LOOK_EVERY_S = 0.5
STOP_GRACE_S = 3.0
LOCAL_CORE_TYPES: Final = ("zmq", "zmq_ss")
MAX_MEMORY_SAMPLES = 64

Exit = Literal["finished", "interrupted"]


@dataclass(frozen=True, kw_only=True)
class Watchdogs:
    """How long silence is taken for work."""

    join_quiet_s: float = 8.0
    """A federate that has not joined and used no processor time this long has failed. [s]"""
    stall_timeout_s: float = 300.0
    """No granted time moved this long. [s]"""


@dataclass(frozen=True, kw_only=True)
class FederationOutcome:
    """How a federation ended, and what it cost."""

    exit: Exit
    start_up_s: float
    """From the first process to the last federate joined. [s]"""
    run_s: float
    """From then to the end. [s]"""
    federates: Mapping[str, Mapping[str, object]]
    """What each federate reported: timings and memory."""
    memory_mb: Mapping[str, Sequence[float]]
    """Resident memory of every federate over the run. [MB]"""


@dataclass(kw_only=True)
class _Child:
    name: str
    process: subprocess.Popen[bytes]
    log_path: Path
    outcome_path: Path
    time_path: Path
    cpu_s: float = 0.0
    last_sign_s: float = 0.0
    memory_mb: list[float] = field(default_factory=list)

    def outcome(self) -> dict[str, object]:
        if not self.outcome_path.exists():
            return {}
        loaded: dict[str, object] = json.loads(self.outcome_path.read_text())
        return loaded


def run_federation(
    configs: Sequence[FederateConfig],
    *,
    config_folder: Path,
    log_folder: Path,
    watchdogs: Watchdogs | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> FederationOutcome:
    """Run a federation to its end, one process per configuration.

    Args:
        configs: The federates. Broker address and log folder are filled in here.
        config_folder: Where the completed configurations are written, for reading and re-running.
        log_folder: Logs and outcome files.
        watchdogs: Time limits.
        on_progress: Called with the finished share of the scenario, in [0, 1].

    Returns:
        The outcome, with `exit` "interrupted" after Ctrl-C or SIGTERM.

    Raises:
        FederationError: A federate died, failed, hung or never joined.
    """
    core_type = configs[0].broker.core_type
    if core_type not in LOCAL_CORE_TYPES:
        raise FederationError(
            f"Core type {core_type!r} listens on all interfaces, expected one of "
            f"{', '.join(LOCAL_CORE_TYPES)}: runs of ours stay on loopback."
        )
    config_folder.mkdir(parents=True, exist_ok=True)
    log_folder.mkdir(parents=True, exist_ok=True)
    with Broker(n_federates=len(configs), core_type=core_type) as broker, end_as_interrupt():
        complete = [
            config.model_copy(update={"broker": broker.address, "log_folder": log_folder})
            for config in configs
        ]
        watch = _Watch(broker, watchdogs or Watchdogs(), complete, on_progress)
        try:
            for config in complete:
                watch.start(config, config_folder)
            return watch.until_finished()
        except KeyboardInterrupt:
            return watch.interrupt()
        finally:
            watch.kill_rest()


class _Watch:
    """The children of one federation."""

    def __init__(
        self,
        broker: Broker,
        watchdogs: Watchdogs,
        configs: Sequence[FederateConfig],
        on_progress: Callable[[float], None] | None,
    ) -> None:
        self._broker = broker
        self._watchdogs = watchdogs
        schedule = configs[0].schedule
        self._end_s = float(schedule.n_steps * schedule.dt_s)
        self._on_progress = on_progress
        self._children: list[_Child] = []
        self._started_s = time.monotonic()
        self._joined_s: float | None = None
        self._granted: dict[str, float] = {}
        self._moved_s = self._started_s
        self._sample_every = self._end_s / MAX_MEMORY_SAMPLES
        self._next_sample_s = 0.0

    def start(self, config: FederateConfig, config_folder: Path) -> None:
        """Start one federate process with its log."""
        config_path = config_folder / f"{config.name}.json"
        config_path.write_text(config.model_dump_json(indent=1))
        log_folder = config.log_folder or config_folder
        log_path = log_folder / f"{config.name}.log"
        outcome_path = log_folder / f"{config.name}.json"
        time_path = granted_time_path(log_folder, config.name)
        for earlier in (outcome_path, time_path):
            earlier.unlink(missing_ok=True)
        with log_path.open("wb") as log:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-P",  # the working directory must not shadow an installed package
                    "-m",
                    "federates",
                    "--config",
                    str(config_path.resolve()),
                    "--parent",
                    str(os.getpid()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=child_environment(self._broker.key),
                start_new_session=True,  # Ctrl-C is ours to handle, and a group is easy to end
            )
        self._children.append(
            _Child(
                name=config.name,
                process=process,
                log_path=log_path,
                outcome_path=outcome_path,
                time_path=time_path,
                last_sign_s=time.monotonic(),
            )
        )

    def until_finished(self) -> FederationOutcome:
        """Watch until every federate has ended; FederationError if one did not end well."""
        next_look_s = 0.0
        while True:
            running = [child for child in self._children if child.process.poll() is None]
            if any(child.process.returncode for child in self._children):
                self._fail_after_death()
            if not running:
                return self._outcome("finished")
            if not self._broker.alive() and len(running) == len(self._children):
                raise FederationError(
                    "The HELICS broker process has died (killed, or out of memory?); the run was "
                    "stopped; the finished parts of its record are kept. Run again."
                )
            now_s = time.monotonic()
            if now_s >= next_look_s:
                self._look(running, now_s)
                next_look_s = now_s + LOOK_EVERY_S
            time.sleep(POLL_S)

    def _look(self, running: Sequence[_Child], now_s: float) -> None:
        if self._joined_s is None:
            joined = self._broker.joined() if len(running) == len(self._children) else None
            missing = [c for c in self._children if joined is not None and c.name not in joined]
            if missing:
                self._check_signs_of_life(missing, now_s)
                return
            self._joined_s = self._moved_s = now_s
        granted = {
            child.name: read_granted_time(child.time_path) or 0.0 for child in self._children
        }
        if granted != self._granted:
            self._granted, self._moved_s = granted, now_s
        elif now_s - self._moved_s > self._watchdogs.stall_timeout_s:
            self._fail_stalled(running)
        reached_s = max(0.0, min(granted.values(), default=0.0))
        self._sample_memory(reached_s)
        if self._on_progress is not None:
            self._on_progress(min(1.0, reached_s / self._end_s))

    def _check_signs_of_life(self, missing: list[_Child], now_s: float) -> None:
        """A federate that is loading uses the processor; one that hangs does not."""
        for child in missing:
            try:
                used = psutil.Process(child.process.pid).cpu_times()
            except psutil.NoSuchProcess:
                continue  # the next poll of its exit code tells
            cpu_s = used.user + used.system
            if cpu_s > child.cpu_s + 0.02:
                child.cpu_s, child.last_sign_s = cpu_s, now_s
            elif now_s - child.last_sign_s > self._watchdogs.join_quiet_s:
                others = ", ".join(sorted(self._broker.joined())) or "nobody"
                self._fail(child, f"never joined the federation (joined: {others})")

    def _sample_memory(self, reached_s: float) -> None:
        if reached_s < self._next_sample_s:
            return
        self._next_sample_s = reached_s + self._sample_every
        for child in self._children:
            try:
                rss = psutil.Process(child.process.pid).memory_info().rss
            except psutil.NoSuchProcess:
                continue
            child.memory_mb.append(round(rss / 1e6, 1))

    def _child(self, name: str) -> _Child:
        return next(child for child in self._children if child.name == name)

    def _fail_stalled(self, running: Sequence[_Child]) -> None:
        """Name the federate that holds the others up.

        That is a process that is stopped, or else the one granted last: it is computing, while
        everybody else waits for a later time.
        """
        waiting_s = self._watchdogs.stall_timeout_s
        for child in running:
            if psutil.Process(child.process.pid).status() == psutil.STATUS_STOPPED:
                self._fail(child, f"is stopped: no federate has advanced for {waiting_s:.0f} s")
        last = max(running, key=lambda child: self._granted[child.name])
        self._fail(
            last,
            f"is stuck at {self._granted[last.name]:.0f} s: no federate has advanced for "
            f"{waiting_s:.0f} s",
        )

    def _fail_after_death(self) -> None:
        """Name who failed first: the earliest error on record, or else a killed federate.

        A culprit records its error before it tells the others, but may exit after them. A killed
        federate records nothing, and its peers notice only after many seconds.
        """
        errors = {child.name: child.outcome() for child in self._children}
        reported = {name: seen for name, seen in errors.items() if "error" in seen}
        if reported:
            first = min(reported, key=lambda name: float(str(reported[name]["time"])))
            self._fail(self._child(first), f"failed: {reported[first]['error']}")
        for child in self._children:
            code = child.process.returncode
            if code is not None and code < 0:
                self._fail(child, f"was killed by signal {-code} ({signal.Signals(-code).name})")
        dead = next(child for child in self._children if child.process.returncode)
        self._fail(dead, f"ended with exit code {dead.process.returncode}")

    def _fail(self, child: _Child, what: str) -> None:
        message = f"Federate {child.name!r} {what.rstrip('.')}. Its log: {child.log_path}"
        self._stop_everyone(message)
        raise FederationError(message)

    def interrupt(self) -> FederationOutcome:
        """Stop as the user asked; the recorder writes what it has."""
        self._stop_everyone("interrupted by the user")
        return self._outcome("interrupted")

    def _stop_everyone(self, message: str) -> None:
        """Tell everyone to stop and give them time to write what they have."""
        with suppress(FederationError):  # a dead broker tells nobody; `kill_rest` follows
            self._broker.stop_everyone(message)
        deadline_s = time.monotonic() + STOP_GRACE_S
        for child in self._children:
            try:
                child.process.wait(timeout=max(0.0, deadline_s - time.monotonic()))
            except subprocess.TimeoutExpired:
                continue  # `kill_rest` follows in any case

    def kill_rest(self) -> None:
        """End the process group of every federate that is still there."""
        for child in self._children:
            if child.process.poll() is None:
                os.killpg(child.process.pid, signal.SIGKILL)
                child.process.wait()

    def _outcome(self, how: Exit) -> FederationOutcome:
        now_s = time.monotonic()
        joined_s = self._joined_s or now_s
        return FederationOutcome(
            exit=how,
            start_up_s=joined_s - self._started_s,
            run_s=now_s - joined_s,
            federates={child.name: child.outcome() for child in self._children},
            memory_mb={child.name: child.memory_mb for child in self._children},
        )
