"""Our grid federate in your federation: you publish powers, it solves the feeder."""

import json
import subprocess
from pathlib import Path

import helics as h

PORT, STEPS = 23_600, 4
config = {
    "name": "grid",
    "broker": {"port": PORT},
    "schedule": {"dt_s": 900, "n_steps": STEPS},
    "subscriptions": {"powers_real": ["mine/p_kw"]},  # and "powers_imag", if you have it
    "settings": {"kind": "grid", "feeder": "ieee123"},  # or the path of your .dss
}
Path("grid.json").write_text(json.dumps(config))
broker = h.helicsCreateBroker("zmq", "", f"--federates=2 --port={PORT}")
grid = subprocess.Popen(["gradmap", "federate", "grid", "--config", "grid.json"])
mine = {
    "name": "mine",
    "coreinitstring": f"--federates=1 --brokerport={PORT}",
    "timedelta": 1.0,
    "publications": [{"key": "p_kw", "type": "vector"}],
    "subscriptions": [{"key": "grid/ids"}, {"key": "grid/voltages"}],
}
me = h.helicsCreateValueFederateFromConfig(json.dumps(mine))
p_kw = h.helicsFederateGetPublicationByIndex(me, 0)
ids, v_pu = (h.helicsFederateGetInputByIndex(me, i) for i in range(2))
h.helicsFederateEnterExecutingMode(me)
n_connections = len(json.loads(h.helicsInputGetString(ids))["connection_voltages"])
for step in range(STEPS):
    h.helicsFederateRequestTime(me, step * 900 + 3)  # the homes' turn: publish
    h.helicsPublicationPublishVector(p_kw, [10.0 * step] * n_connections)
    h.helicsFederateRequestTime(me, step * 900 + 5)  # after the grid's turn: read
    print(f"{10 * step * n_connections:5d} kW: lowest {min(h.helicsInputGetVector(v_pu)):.4f} pu")
h.helicsFederateDisconnect(me)
raise SystemExit(grid.wait())
