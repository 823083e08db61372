"""Printing that suits terminals and pipes; imports nothing heavy, so `doctor` can use it."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table


def make_table(*, title: str, headings: Sequence[str], left: Collection[str] = ()) -> Table:
    """Return an empty table with its columns to the right, which suits numbers.

    Brackets around units stand as they are; cells, which may be coloured, are rich's markup.

    Args:
        title: Above the table.
        headings: Of all columns.
        left: Headings of the columns that go to the left.
    """
    table = Table(title=escape(title), title_justify="left")
    for heading in headings:
        table.add_column(escape(heading), justify="left" if heading in left else "right")
    return table


def show_table(table: Table) -> None:
    """Print a table, in colour on a terminal."""
    if sys.stdout.isatty():
        Console().print(table)
        return
    # A pipe has no width of its own; and if its reader has gone, rich would end the process.
    text = io.StringIO()
    Console(file=text, width=110).print(table)
    click.echo(text.getvalue(), nl=False)


@contextmanager
def patient_output() -> Iterator[None]:
    """A reader that has gone away, as in `gradmap run | head`, does not make a run fail."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still buffered would fail again when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
