"""The broker process: answers its supervisor on standard output, ends with standard input.

Usage: python -m federates.broker_process N_FEDERATES CORE_TYPE
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import helics as h

from federates.broker import free_ports
from federates.child_environment import KEY_VARIABLE

_ATTEMPTS = 20
_ERROR_CODE = 1


def _create(n_federates: int, core_type: str) -> tuple[h.HelicsBroker, int]:
    """Start a broker on a free port; another program may take the port before we do."""
    for _ in range(_ATTEMPTS):
        port = free_ports(n_federates)
        broker = h.helicsCreateBroker(
            core_type,
            "",
            f"--federates={n_federates} --port={port} --brokerkey={os.environ[KEY_VARIABLE]} "
            f"--tick=1s --timeout=30s --loglevel=no_print",
        )
        address = h.helicsBrokerGetAddress(broker)
        if h.helicsBrokerIsConnected(broker) and address.endswith(f":{port}"):
            return broker, port
        h.helicsBrokerDisconnect(broker)
    raise RuntimeError("no broker could be started on any free port")


def _serve(question: dict[str, str], broker: h.HelicsBroker) -> Any:
    if "stop" in question:
        # The binding takes bytes here, a str is a TypeError (pyhelics 3.6.1).
        h.helicsBrokerGlobalError(broker, _ERROR_CODE, question["stop"].encode())
        return True
    query = h.helicsCreateQuery("broker", question["query"])
    return h.helicsQueryBrokerExecute(query, broker)


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Serve until standard input ends."""
    broker, port = _create(int(sys.argv[1]), sys.argv[2])
    _say({"port": port})
    for line in sys.stdin:
        _say({"answer": _serve(json.loads(line), broker)})
    # Not sys.exit: HELICS would wait for peers that may have been killed.
    os._exit(0)


if __name__ == "__main__":
    main()
