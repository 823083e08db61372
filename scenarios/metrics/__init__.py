"""What a planner compares: one flat, defined, unit-carrying `Summary` for each controller."""

from scenarios.metrics.summary import METRICS, Metric, Summary, summarise

__all__ = ["METRICS", "Metric", "Summary", "summarise"]
