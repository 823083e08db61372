"""The files of a validation: JSON, a parity plot as SVG, and one self-contained HTML page."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from scenarios.report.figures import Figure
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
    (folder / SVG_NAME).write_text(_alone(parity), encoding="utf-8")
    environment = Environment(
        loader=PackageLoader("scenarios.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("validation.html.j2").render(
        validation=validation, document=document, figures=(parity, errors), number=error_text
    )
    (folder / PAGE_NAME).write_text(page, encoding="utf-8")


def error_text(value: float) -> str:
    """Return an error with two digits."""
    return f"{value:.1e}" if value == value else "missing"  # noqa: PLR0124  NaN differs from itself


def _alone(figure: Figure) -> str:
    """Return a chart as a file of its own: with name space, colours and background."""
    css = resources.files("scenarios.report").joinpath("templates/report.css").read_text("utf-8")
    style = Markup(
        "<style>{}\nsvg {{ background: var(--paper); font-family: sans-serif; }}</style>"
    ).format(Markup(css))
    opening, inner = str(figure.image).split(">", 1)
    return f'{opening} xmlns="http://www.w3.org/2000/svg">{style}{inner}\n'
