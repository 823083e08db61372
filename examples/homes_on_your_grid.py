"""Our homes and agents on your grid: here one resistance behind a stiff source."""

import json
import subprocess
from pathlib import Path

import helics as h

subprocess.run(["gradmap", "run", "--write-runner", "--overwrite", "--out", "homes"], check=True)
ours = Path("homes/rule_based/federates")
port = json.loads((ours / "agents.json").read_text())["broker"]["port"]
broker = h.helicsCreateBroker("zmq", "", f"--federates=4 --port={port}")
processes = [
    subprocess.Popen(["gradmap", "federate", kind, "--config", ours / f"{name}.json"])
    for kind, name in [("environment",) * 2, ("households", "households_1"), ("agents",) * 2]
]
mine = {
    "name": "grid",  # the name that the homes listen to
    "coreinitstring": f"--federates=1 --brokerport={port}",
    "timedelta": 1.0,
    "publications": [{"key": "connection_voltages", "type": "vector"}],
    "subscriptions": [{"key": "households_1/powers_real"}],
}
grid = h.helicsCreateValueFederateFromConfig(json.dumps(mine))
v_pu, p_kw = (
    h.helicsFederateGetPublicationByIndex(grid, 0),
    h.helicsFederateGetInputByIndex(grid, 0),
)
h.helicsFederateEnterExecutingMode(grid)
n_connections = len(json.loads(Path("homes/inputs/feeder.json").read_text())["connections"])
for step in range(96):
    h.helicsFederateRequestTime(grid, step * 900 + 4)  # after the homes have drawn their power
    total_kw = sum(h.helicsInputGetVector(p_kw))
    h.helicsPublicationPublishVector(v_pu, [1.0 - 2e-5 * total_kw] * n_connections)
    print(f"{step / 4:5.2f} h {total_kw:8.0f} kW {1.0 - 2e-5 * total_kw:.4f} pu")
h.helicsFederateDisconnect(grid)
raise SystemExit(max(process.wait() for process in processes))
