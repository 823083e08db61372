"""Feeders and loadings that the tests of the power flow share."""

from functools import cache
from pathlib import Path

import numpy as np
import torch

from gradmap.feeder import Feeder
from opendss_models.engine import Engine, EngineSettings
from opendss_models.extract import extract_feeder
from opendss_models.feeders import feeder_path

TIGHT = EngineSettings(tolerance=1e-11, max_iterations=1000)


@cache
def ieee123() -> Feeder:
    return extract_feeder(Engine(feeder_path("ieee123"), settings=TIGHT))


@cache
def small(tmp: str) -> Feeder:
    """A feeder of four buses: delta and wye loads of models 1, 2, 4, 5 and 8, a regulator."""
    path = Path(tmp) / "master.dss"
    path.write_text(SMALL, encoding="utf-8")

    return extract_feeder(Engine(path, settings=TIGHT))


SMALL = """
clear
new circuit.small basekv=4.16 pu=1.0 bus1=source mvasc3=200 mvasc1=210
new linecode.abc nphases=3 units=km rmatrix=(0.3 | 0.1 0.31 | 0.1 0.1 0.3) \
 xmatrix=(0.7 | 0.3 0.72 | 0.25 0.3 0.7) cmatrix=(10 | -2 11 | -1 -2 10)
new transformer.reg phases=3 windings=2 buses=(source a) conns=(wye wye) kvs=(4.16 4.16) \
 kvas=(2000 2000) xhl=0.01 %loadloss=0.001
new regcontrol.reg transformer=reg winding=2 vreg=120 ptratio=20 band=2
new line.ab bus1=a.1.2.3 bus2=b.1.2.3 linecode=abc length=1 units=km
new line.switch bus1=b.1.2.3 bus2=c.1.2.3 switch=yes
new transformer.tr phases=3 windings=2 buses=(c d) conns=(delta wye) kvs=(4.16 0.48) \
 kvas=(500 500) xhl=4
new load.m1 bus1=b.1 phases=1 kv=2.4 kw=90 kvar=40 model=1
new load.m2 bus1=b.2.3 phases=1 conn=delta kv=4.16 kw=120 kvar=50 model=2
new load.m4 bus1=c.1.2.3 phases=3 kv=4.16 kw=150 kvar=60 model=4 cvrwatts=0.8 cvrvars=2.5
new load.m5 bus1=c.3.1 phases=1 conn=delta kv=4.16 kw=80 kvar=30 model=5
new load.m8 bus1=d.2 phases=1 kv=0.277 kw=60 kvar=20 model=8 zipv=(.3 .3 .4 .2 .5 .3 0)
new load.d1 bus1=d.1.2.3 phases=3 conn=delta kv=0.48 kw=100 kvar=40 model=1
new capacitor.cap bus1=c phases=3 kv=4.16 kvar=150
set voltagebases=(4.16 0.48)
calcvoltagebases
"""


def loadings(feeder: Feeder, *, n: int, seed: int = 0, low: float = 0.2, high: float = 1.6):
    """Return random loadings, each element on its own, [n, connection]."""
    rng = np.random.default_rng(seed)
    elements = list(dict.fromkeys(feeder.connections.element_ids))
    factor = rng.uniform(low, high, (n, len(elements)))
    column = [elements.index(name) for name in feeder.connections.element_ids]
    factors = torch.tensor(factor[:, column])
    p = factors * torch.tensor(feeder.connections.p_kw)
    return p, factors * torch.tensor(feeder.connections.q_kvar)


def tap_draws(feeder: Feeder, *, n: int, seed: int = 1, largest: int = 8):
    """Return random whole taps as ratios, [n, regulator]."""
    rng = np.random.default_rng(seed)
    steps = rng.integers(-largest, largest + 1, (n, len(feeder.regulators)))
    return torch.tensor(1.0 + steps * np.array([r.tap_step for r in feeder.regulators]))
