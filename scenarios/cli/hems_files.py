"""What an interview reads and writes: answers, sessions, home files, transcripts."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import yaml

from gradmap.errors import ScenarioError
from gradmap.files import written_whole

if TYPE_CHECKING:
    from federates.hems.interview.state import InterviewState, Message
    from federates.hems.parameters.home_file import HomeFile

MAX_ANSWERS: Final = 10_000


def resumed_session(path: Path) -> tuple[InterviewState, Message]:
    """Return a saved interview and what to say; one that was stopped is opened again.

    Raises:
        ScenarioError: It cannot be read, or is none.
    """
    from federates.hems.interview.session import reopened  # noqa: PLC0415
    from federates.hems.interview.state import resumed  # noqa: PLC0415

    try:
        state = resumed(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as exc:
        raise ScenarioError(f"{path} cannot be read: {exc}") from exc
    except ScenarioError as exc:
        raise ScenarioError(f"{path}: {exc}") from exc
    if state.finished in ("stopped", "failed"):
        return reopened(state)
    return state, state.message


def read_answers(path: Path) -> list[str]:
    """Return the answers of a file: a YAML list, or one a line.

    Raises:
        ScenarioError: It cannot be read, or is not a list of text.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ScenarioError(f"answers {path} cannot be read as UTF-8 text: {exc}") from exc
    if path.suffix not in (".yaml", ".yml", ".json"):
        return text.splitlines()[:MAX_ANSWERS]
    try:
        # BaseLoader keeps 18:30 and yes as they were written.
        found = json.loads(text) if path.suffix == ".json" else yaml.load(text, yaml.BaseLoader)
    except (ValueError, yaml.YAMLError) as exc:
        raise ScenarioError(f"answers {path}: not readable: {exc}") from exc
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise ScenarioError(f"answers {path}: expected a list of texts, one for each question")
    return found[:MAX_ANSWERS]


def check_folders(*paths: Path | None) -> None:
    """Refuse places that cannot be written to, before anything is asked.

    Raises:
        ScenarioError: A folder does not exist.
    """
    for path in paths:
        if path is not None and not path.resolve().parent.is_dir():
            raise ScenarioError(f"{path}: its folder does not exist; make it first.")


def save_session(state: InterviewState, path: Path | None) -> None:
    """Write a session, if there is a place for it; it holds what was said."""
    from federates.hems.interview.state import saved  # noqa: PLC0415

    if path is not None:
        write_text(path, saved(state))


def write_home(home: HomeFile, *, out: Path | None) -> None:
    """Write a home file, or print it if there is no place for it."""
    from federates.hems.parameters.home_file import to_yaml  # noqa: PLC0415

    if out is None:
        with suppress(BrokenPipeError):
            click.echo(to_yaml(home), nl=False)
        return
    write_text(out, to_yaml(home))


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises:
        ScenarioError: It cannot be written.
    """
    try:
        with written_whole(path) as file:
            file.write(text.encode())
    except OSError as exc:
        raise ScenarioError(f"{path} cannot be written: {exc.strerror or exc}") from exc


def written_talk(state: InterviewState) -> str:
    """Return the conversation as Markdown."""
    parts = ["# Interview\n"]
    for exchange in state.exchanges:
        asked = "\n> ".join(exchange.message.text.splitlines())
        undone = " *(taken back)*" if exchange.undone else ""
        parts.append(f"> {asked}\n\n{exchange.text or '*(nothing)*'}{undone}\n")
    last = "\n> ".join(state.message.text.splitlines())
    return "\n".join([*parts, f"> {last}\n"])
