"""The way into and out of the optimiser: interviewed homes, gradmap fleets, a scenario's tables."""
