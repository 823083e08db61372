"""The report of a run: one self-contained HTML file, and the summary as CSV and JSON."""

from scenarios.report.files import write_summary
from scenarios.report.page import write_report

__all__ = ["write_report", "write_summary"]
