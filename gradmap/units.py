"""The one sign rule and the bases of per-unit quantities.

**Sign**: load convention everywhere. `p_kw > 0` draws from the grid: consumption and charging are
positive, generation and discharging negative. `q_kvar > 0` absorbs reactive power (inductive).
OpenDSS is converted to and from this rule only inside `opendss_models`.

**Per unit**: node voltages are line-to-neutral over the bus's line-to-neutral base; the voltage of
a load connection is over that connection's own base (line-to-neutral for a wye phase, line-to-line
for a delta leg). Loadings are fractions of the normal rating. `soc` is a fraction, end of step.
"""

from __future__ import annotations

SECONDS_PER_HOUR = 3600.0
