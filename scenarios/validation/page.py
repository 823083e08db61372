"""The files of a validation: JSON, a parity plot as SVG, and one self-contained HTML page."""

from __future__ import annotations

import json
from pathlib import Path

from scenarios.report.rendering import render_page
from scenarios.report.standalone import standalone_svg
from scenarios.validation.charts import error_figure, parity_figure
from scenarios.validation.document import as_document
from scenarios.validation.results import Validation

JSON_NAME, SVG_NAME, PAGE_NAME = "validation.json", "parity.svg", "validation.html"


def write_validation(validation: Validation, folder: Path) -> None:
    """Write validation.json, parity.svg and validation.html into a folder, made if missing."""
    folder.mkdir(parents=True, exist_ok=True)
    document = as_document(validation)
    text = json.dumps(document, indent=1, allow_nan=False) + "\n"
    (folder / JSON_NAME).write_text(text, encoding="utf-8")
    parity, errors = parity_figure(validation), error_figure(validation)
    (folder / SVG_NAME).write_text(standalone_svg(parity), encoding="utf-8")
    content = {
        "validation": validation,
        "document": document,
        "figures": (parity, errors),
        "number": error_text,
    }
    page = render_page("validation.html.j2", content)
    (folder / PAGE_NAME).write_text(page, encoding="utf-8")


def error_text(value: float) -> str:
    """Return an error with two digits."""
    return f"{value:.1e}" if value == value else "missing"  # noqa: PLR0124  NaN differs from itself
