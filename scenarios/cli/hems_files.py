"""What an interview reads and writes: answers, sessions, home files, transcripts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import yaml

from gradmap.errors import ScenarioError
from gradmap.files import written_whole

if TYPE_CHECKING:
    from federates.hems.interview.state import InterviewState, Message
    from federates.hems.parameters.home_file import HomeFile

MAX_ANSWERS: Final = 10_000
Answers = Callable[["Message"], str | None]
"""Answers that stand ready, by what is asked; None where there are no more."""


def resumed_session(path: Path, timezone: str | None) -> tuple[InterviewState, Message]:
    """Return a saved interview and what to say; one that was stopped is opened again.

    Args:
        path: Of the session.
        timezone: In place of the one saved, which an older version may have taken unchecked.

    Raises:
        ScenarioError: It cannot be read, or is none.
    """
    from federates.hems.interview.session import reopened  # noqa: PLC0415
    from federates.hems.interview.state import resumed  # noqa: PLC0415

    try:
        state = resumed(path.read_text(encoding="utf-8"), timezone=timezone)
    except (OSError, UnicodeDecodeError) as exc:
        raise ScenarioError(f"{path} cannot be read: {exc}") from exc
    except ScenarioError as exc:
        remedy = ", or give --timezone" if "`settings.timezone`" in str(exc) else ""
        raise ScenarioError(f"{path}: {exc}{remedy}") from exc
    if state.finished in ("stopped", "failed"):
        return reopened(state)
    return state, state.message


def read_answers(path: Path) -> Answers:
    """Return the answers of a file: by slot from a YAML mapping, else one after the other.

    Raises:
        ScenarioError: It cannot be read, or is neither a mapping nor a list of text.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ScenarioError(f"answers {path} cannot be read as UTF-8 text: {exc}") from exc
    if path.suffix not in (".yaml", ".yml", ".json"):
        return in_order(text.splitlines()[:MAX_ANSWERS])
    try:
        # BaseLoader keeps 18:30 and yes as they were written.
        found = json.loads(text) if path.suffix == ".json" else yaml.load(text, yaml.BaseLoader)
    except (ValueError, yaml.YAMLError) as exc:
        raise ScenarioError(f"answers {path}: not readable: {exc}") from exc
    if isinstance(found, dict):
        return _by_slot(found, path=path)
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise ScenarioError(
            f"answers {path}: expected a list of texts, one for each question, or a mapping from "
            f"slots to texts"
        )
    return in_order(found[:MAX_ANSWERS])


def in_order(texts: Iterable[str]) -> Answers:
    """Return answers that are given one after the other, whatever is asked."""
    left = iter(texts)
    return lambda _message: next(left, None)


def _by_slot(found: dict[str, Any], *, path: Path) -> Answers:
    """Return answers that are looked up by what is asked; read-backs are agreed to.

    What is asked again gets the same answer, or the next one of a list. What the file does not
    hold is not known.

    Raises:
        ScenarioError: A key is no slot, or a value neither text nor a list of text.
    """
    from federates.hems.parameters.slots import slot  # noqa: PLC0415

    texts: dict[str, list[str]] = {}
    for key, value in found.items():
        try:
            slot(key)
        except ScenarioError as exc:
            raise ScenarioError(f"answers {path}: {exc}") from exc
        several = value if isinstance(value, list) else [value]
        if not several or not all(isinstance(one, str) for one in several):
            raise ScenarioError(f"answers {path}: `{key}` is {value!r}, expected text, or a list")
        texts[key] = list(several)

    def answer(message: Message) -> str:
        if message.kind == "confirm" and message.about != "doubt":
            return "yes"
        said = [
            texts[key].pop(0) if len(texts[key]) > 1 else texts[key][0]
            for key in message.slots
            if key in texts
        ]
        return "; ".join(said) or "I don't know"

    return answer


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


def home_place(out: Path | None, state: InterviewState, *, was_there: bool) -> Path | None:
    """Return where a home goes: a file from before is replaced by a finished interview only.

    Args:
        out: As asked for; None prints the home.
        state: The interview.
        was_there: Whether that file existed before this interview.
    """
    if out is None or state.finished == "done" or not was_there:
        return out
    return out.with_name(f"{out.stem}.partial{out.suffix}")


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
