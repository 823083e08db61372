"""Floor 4: what a planner touches: scenario files, runs, metrics, reports, the command line."""
