"""Run a scenario from Python and look at the results; paste the cells into a notebook."""

# %% Run the bundled quick start (or the path of your scenario file).
from pathlib import Path

from scenarios.outputs import write_outputs
from scenarios.run import run_scenario

run = run_scenario("quick_start", out=Path("runs/from_python"), overwrite=True)

# %% Results are pandas frames: rows are local time, columns are nodes, homes or agents.
v_pu = run["no_control"].v_pu
print(v_pu.min(axis=1).idxmin(), v_pu.min().min())

# %% Compare controllers.
for controller in run.controllers:
    head_kw = run[controller].head_power[["p_kw_1", "p_kw_2", "p_kw_3"]].sum(axis=1)
    print(f"{controller:12s} peak {head_kw.max():7.1f} kW at {head_kw.idxmax():%H:%M}")

# %% The metrics of the report, and the report itself.
summaries = write_outputs(run)
print(summaries["rule_based"].node_hours_outside, "node-hours outside the limits")
print(run.folder / "report.html")
