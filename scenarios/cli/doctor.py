"""`gradmap doctor`: does everything this tool needs work on this machine."""

from __future__ import annotations

import json

import click
from rich.table import Table

from scenarios.cli.exit_codes import FAILED, OK
from scenarios.cli.output import show_table
from scenarios.doctor import run_checks


@click.command(epilog="Example: gradmap doctor --json", short_help="Check this machine.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def command(*, as_json: bool) -> int:
    """Check versions, OpenDSS against stored voltages, a HELICS handshake, ports and folders.

    Exit code 0 if all is well, 1 if anything failed.
    """
    findings = run_checks()
    if as_json:
        rows = [{"check": f.check, "ok": f.ok, "detail": f.detail} for f in findings]
        click.echo(json.dumps(rows, indent=1))
    else:
        table = Table(show_header=False, box=None)
        for finding in findings:
            mark = "[green]ok[/]" if finding.ok else "[red]FAILED[/]"
            table.add_row(mark, finding.check, finding.detail)
        show_table(table)
    return OK if all(finding.ok for finding in findings) else FAILED
