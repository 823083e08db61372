"""`gradmap`: the roof. Every command is its own file, imported only when it is called."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from gradmap.errors import FeederError, GradmapError, ScenarioError
from scenarios.cli.exit_codes import BAD_INPUT, FAILED, INTERRUPTED, OK
from scenarios.cli.lazy_group import LazyGroup

# Command to (module, one-line help). The help stands here so that `gradmap --help` imports nothing.
COMMANDS = {
    "doctor": ("scenarios.cli.doctor", "Check this machine: engines, loopback, ports, files."),
    "init": ("scenarios.cli.init", "Write a commented scenario file to start from."),
    "run": ("scenarios.cli.run", "Run a scenario as a HELICS federation and report on it."),
    "train": ("scenarios.cli.train", "Train one policy per agent through the power flow."),
    "study": ("scenarios.cli.study", "Compare trained policies; measure what training costs."),
    "export": ("scenarios.cli.export", "Write one agent's policy as ONNX."),
    "hems": ("scenarios.cli.hems", "Interview a home and plan its devices; measure interviews."),
    "federate": ("scenarios.cli.federate", "Run one federate inside a federation of yours."),
    "bench": ("scenarios.cli.bench", "Measure this machine: seconds, memory, ratios to peers."),
    "validate": ("scenarios.cli.validate", "Compare the torch power flow with OpenDSS."),
    "report": ("scenarios.cli.report", "Write the report of an existing run folder again."),
}


class _Commands(LazyGroup):
    """Says which commands there are when one is not known."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"No command {args[0]!r}; there are: {', '.join(COMMANDS)}.")
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Commands, modules=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(package_name="gradmap")
def cli() -> None:
    """HELICS co-simulation of grid-edge agents and homes on an OpenDSS feeder.

    Exit codes: 0 success, 1 the run failed, 2 wrong input (nothing was started),
    3 the run finished but some steps are not to be trusted, 130 interrupted.
    """


def main(argv: list[str] | None = None) -> None:
    """Run the command line; errors of ours become one message and an exit code."""
    _replace_closed_streams()
    from federates.interrupts import end_as_interrupt  # noqa: PLC0415  `--help` stays light

    with end_as_interrupt():
        code = _run(argv)
    sys.exit(code)


def _run(argv: list[str] | None) -> int:
    try:
        result: Any = cli.main(args=argv, standalone_mode=False)
    except click.ClickException as exc:
        exc.show()
        return BAD_INPUT
    except (ScenarioError, FeederError) as exc:
        click.echo(f"Error: {exc}", err=True)
        return BAD_INPUT
    except GradmapError as exc:
        click.echo(f"Error: {exc}", err=True)
        return FAILED
    except OSError as exc:  # click itself ends quietly where the reader of a pipe has gone
        click.echo(f"Error: {_said(exc)}", err=True)
        return FAILED
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    return result if isinstance(result, int) else OK


def _said(exc: OSError) -> str:
    """Return which file an operating system's error is about, and why."""
    reason = exc.strerror or str(exc) or type(exc).__name__
    if exc.filename is None:
        return f"{reason}."
    return f"{str(exc.filename)!r}: {reason}. Check that it is there and may be used."


def _replace_closed_streams() -> None:
    """A run started with a closed stdout or stderr, as by some schedulers, is still a run."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  for good
            setattr(sys, name, nowhere)


if __name__ == "__main__":
    main()
