"""A chart as a file of its own: an SVG with name space, colours and background."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from markupsafe import Markup

from gradmap.errors import ScenarioError
from gradmap.files import written_whole
from scenarios.report.figures import Figure

_DARK = "@media screen and (prefers-color-scheme: dark)"


def standalone_svg(figure: Figure, *, always_light: bool = False) -> str:
    """Return the figure's image as an SVG file.

    Args:
        figure: Its image; legend and words outside the image are left out.
        always_light: Keep the light colours for readers who prefer dark ones, as in a paper.
    """
    css = resources.files("scenarios.report").joinpath("templates/report.css").read_text("utf-8")
    if always_light:
        css = css.replace(_DARK, "@media not all")
    style = Markup(
        "<style>{}\nsvg {{ background: var(--paper); font-family: sans-serif; }}</style>"
    ).format(Markup(css))
    opening, inner = str(figure.image).split(">", 1)
    return f'{opening} xmlns="http://www.w3.org/2000/svg">{style}{inner}\n'


def write_figure(figure: Figure, path: Path) -> Path:
    """Write a figure as an SVG file in light colours and return its path.

    Raises:
        ScenarioError: The file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as file:
            file.write(standalone_svg(figure, always_light=True).encode())
    except OSError as exc:
        raise ScenarioError(f"{path} cannot be written: {exc.strerror or exc}") from exc
    return path
