"""Options that several commands share, and how they are read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from gradmap.errors import ScenarioError
from scenarios.loading import read_yaml

Command = TypeVar("Command", bound=Callable[..., Any])
Number = TypeVar("Number", int, float)


def results_option(command: Command) -> Command:
    """Add `--results`."""
    return click.option(
        "--results",
        type=click.Path(file_okay=False, path_type=Path),
        help="Folder that results are kept in and looked up; the repository's if left out.",
    )(command)


def again_option(command: Command) -> Command:
    """Add `--again`."""
    return click.option("--again", is_flag=True, help="Measure even what is kept.")(command)


def cache_option(command: Command) -> Command:
    """Add `--cache`."""
    return click.option(
        "--cache",
        type=click.Path(file_okay=False, path_type=Path),
        help="Folder to keep drawn days in.",
    )(command)


def set_option(help_text: str) -> Callable[[Command], Command]:
    """Return a decorator that adds `--set NAME=VALUE` as `changes`, see `settings_changes`."""
    return click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help=help_text)


def optimum_options(command: Command) -> Command:
    """Add `--optimum-days`, `--optimum-seed` and `--store`."""
    for option in (
        click.option(
            "--store",
            type=click.Path(file_okay=False, path_type=Path),
            help="Folder to keep optima in; an interrupted series goes on from there.",
        ),
        click.option(
            "--optimum-seed",
            type=click.IntRange(min=0),
            default=1,
            show_default=True,
            help="Draws these days; more days include the fewer.",
        ),
        click.option(
            "--optimum-days",
            type=click.IntRange(0, 1000),
            default=0,
            show_default=True,
            help="Also find the centralised optimum of so many test days, and replay it in "
            "OpenDSS.",
        ),
    ):
        command = option(command)
    return command


def numbers(text: str, *, option: str) -> tuple[float, ...]:
    """Return the numbers of an option like `1e-3,2e-3`.

    Raises:
        ScenarioError: Something else, a number <= 0, or a number twice.
    """
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if not all(0.0 < value < float("inf") for value in values):
        values = ()
    return _distinct(values, text=text, option=option, expected="numbers > 0")


def whole_numbers(text: str, *, option: str, least: int = 0) -> tuple[int, ...]:
    """Return the whole numbers of an option like `0,1,2`.

    Raises:
        ScenarioError: Something else, a number below `least`, or a number twice.
    """
    try:
        values = tuple(int(part) for part in text.split(","))
    except ValueError:
        values = ()
    if not all(value >= least for value in values):
        values = ()
    return _distinct(values, text=text, option=option, expected=f"whole numbers >= {least}")


def _distinct(
    values: tuple[Number, ...], *, text: str, option: str, expected: str
) -> tuple[Number, ...]:
    if not values or len(set(values)) < len(values):
        raise ScenarioError(
            f"Option {option} {text!r}: expected {expected}, each once, with commas between."
        )
    return values


def settings_changes(changes: tuple[str, ...]) -> dict[str, Any]:
    """Return the changes of `--set NAME=VALUE` options.

    Raises:
        ScenarioError: One without an equals sign, or whose value is not YAML.
    """
    parsed: dict[str, Any] = {}
    for change in changes:
        name, equals, text = change.partition("=")
        if not equals:
            raise ScenarioError(f"Option --set {change!r}: expected NAME=VALUE.")
        parsed[name.strip()] = read_yaml(text, where=f"Option --set {change!r}")
    return parsed
