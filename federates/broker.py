"""The HELICS broker of a run: own process, own port, own key, gone when we are.

A `helics_broker` started as a program outlives a killed run, keeps its ports, and the next run then
joins the wrong one. A broker inside the supervisor cannot be ended once a federate was killed: its
sender waits for ever for the dead peer (seen with HELICS 3.6.1 over zmq), and so does the exit of
the process. Ours is a child that ends with its input pipe, and that can be killed.
"""

from __future__ import annotations

import json
import secrets
import select
import socket
import subprocess
import sys
from collections.abc import Collection
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from federates.child_environment import child_environment
from federates.config import BrokerAddress, CoreType
from gradmap.errors import FederationError

LOOPBACK = "127.0.0.1"
ANSWER_TIMEOUT_S = 20.0
_FIRST_PORT, _LAST_PORT = 16_000, 32_000
_BLOCK = 128  # the most household processes, the other federates and the broker
_FIRST_CORE = 5
_ATTEMPTS = 50


def free_ports(n_federates: int, *, taken: Collection[int] = ()) -> int:
    """Return the first of a block of free ports, none of the blocks that begin at `taken`.

    A zmq broker listens on its port and the next; the cores of its federates count up from the
    sixth. Blocks of two runs never overlap, and all lie below the ports that systems give to
    outgoing connections, one of which may sit on a core's port at the wrong moment.
    """
    n_ports = _FIRST_CORE + n_federates
    for _ in range(_ATTEMPTS):
        port = _FIRST_PORT + _BLOCK * secrets.randbelow((_LAST_PORT - _FIRST_PORT) // _BLOCK)
        if port not in taken and all(_can_bind(port + offset) for offset in range(n_ports)):
            return port
    raise FederationError(
        f"No block of {n_ports} free TCP ports found on {LOOPBACK} in {_ATTEMPTS} attempts "
        f"between {_FIRST_PORT} and {_LAST_PORT}. Close programs that hold ports there."
    )


def _can_bind(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


class Broker:
    """Context manager around the broker process: one JSON question and answer a line."""

    def __init__(self, *, n_federates: int, core_type: CoreType) -> None:
        self.key = secrets.token_hex(8)
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-P",
                "-m",
                "federates.broker_process",
                str(n_federates),
                core_type,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=child_environment(self.key),
            start_new_session=True,
        )
        try:
            port = int(self._answer()["port"])
        except BaseException:  # also Ctrl-C: there is no `with` yet that would end the process
            self._end()
            raise
        self.address = BrokerAddress(host=LOOPBACK, port=port, core_type=core_type)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._end()

    def alive(self) -> bool:
        """Whether the broker process is still there."""
        return self._process.poll() is None

    def stop_everyone(self, message: str) -> None:
        """Send a global error: every federate stops within a fraction of a second."""
        self._ask({"stop": message})

    def joined(self) -> set[str]:
        """Return the names of the federates that have joined.

        The only query we make: those that reach into the federates, such as their times, block
        for as long as one of them is frozen.
        """
        names = self._ask({"query": "federates"})
        return set(names) if isinstance(names, list) else set()

    def _ask(self, question: dict[str, str]) -> Any:
        assert self._process.stdin is not None  # given by Popen above
        try:
            self._process.stdin.write(json.dumps(question).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError as exc:
            raise FederationError("The HELICS broker process has died; run again.") from exc
        return self._answer()["answer"]

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], ANSWER_TIMEOUT_S)
        line = self._process.stdout.readline() if ready else b""
        if not line:
            raise FederationError(
                f"The HELICS broker process did not answer within {ANSWER_TIMEOUT_S:.0f} s. "
                f"`gradmap doctor` checks HELICS on this machine."
            )
        return json.loads(line)

    def _end(self) -> None:
        """Close its input, which ends it; kill it if that does not help."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):  # closing flushes; the broker may be dead
                    pipe.close()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
