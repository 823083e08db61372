"""`gradmap hems interview`: a conversation on the terminal, or answers from a file or a pipe."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import yaml

from gradmap.errors import ScenarioError
from gradmap.files import written_whole
from scenarios.cli.exit_codes import FAILED, INTERRUPTED, OK, UNHEALTHY
from scenarios.cli.hems_server import server_settings

if TYPE_CHECKING:
    from federates.hems.interview.interviewer import Interviewer
    from federates.hems.interview.state import InterviewSettings, InterviewState, Message
    from federates.hems.parameters.home_file import HomeFile
    from scenarios.cli.hems_terminal import Terminal

MAX_ANSWERS: Final = 10_000
CURRENCIES: Final = {"en-GB": "GBP", "en-IE": "EUR", "en-US": "USD"}
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(
    "interview",
    epilog="Example: gradmap hems interview --out home.yaml --save session.json",
    short_help="Ask a householder about their home.",
)
@click.option("--out", type=_FILE, help="Home file to write; printed if left out.")
@click.option("--save", type=_FILE, help="Saved after every answer; an existing one goes on.")
@click.option("--answers", type=_FILE, help="One answer a line, or a YAML list; instead of asking.")
@click.option("--transcript", type=_FILE, help="Write what was said as Markdown.")
@click.option("--locale", type=click.Choice(sorted(CURRENCIES)), default="en-GB", show_default=True)
@click.option("--currency", help="ISO 4217 code of prices.  [default: that of the locale]")
@click.option("--timezone", default="Europe/London", show_default=True, help="IANA zone.")
@click.option("--expert", is_flag=True, help="Also ask what most homes leave at its default.")
@click.option("--form", is_flag=True, help="Ask a whole section at once.")
@click.option("--url", help="OpenAI-compatible server; without one, rules understand the answers.")
@click.option("--model", help="Its model.")
@click.option("--react/--no-react", default=True, show_default=True, help="Thought before action.")
@click.option("--few-shot/--no-few-shot", default=True, show_default=True, help="Examples.")
def command(
    *,
    out: Path | None,
    save: Path | None,
    answers: Path | None,
    transcript: Path | None,
    locale: str,
    currency: str | None,
    timezone: str,
    expert: bool,
    form: bool,
    url: str | None,
    model: str | None,
    react: bool,
    few_shot: bool,
) -> int:
    """Interview a householder and write the home file.

    Answers come from the terminal, from a pipe, or from --answers. At any time: undo, skip, help,
    repeat, stop. What nobody said keeps a default, marked as such. --save holds what was said:
    treat it as personal data.

    Exit codes: 0 done, 1 the language model failed, 2 wrong input, 3 stopped or answers ran out
    before the end (what is known is written, go on with --save), 130 interrupted.
    """
    from federates.hems.interview.session import begin, outcome  # noqa: PLC0415
    from scenarios.cli.hems_terminal import Terminal  # noqa: PLC0415

    _check_folders(out, save, transcript)
    said = None if answers is None else iter(_read_answers(answers))
    interviewer = _interviewer(url, model, react=react, few_shot=few_shot)
    settings = _settings(
        locale=locale,
        currency=currency or CURRENCIES[locale],
        timezone=timezone,
        expert=expert,
        form=form,
    )
    terminal = Terminal(said if said is not None else _piped())
    resumed = None if save is None or not save.exists() else _resumed(save)
    state, message = resumed or begin(settings, interviewer=interviewer)
    if resumed is not None:
        terminal.note(f"Going on after {state.turn} answers; settings are those of {save}.")
    state, interrupted = _conversation(
        state, message, terminal=terminal, interviewer=interviewer, save=save
    )
    _write(outcome(state), out=out)
    if transcript is not None:
        _write_text(transcript, _transcript(state))
    terminal.ended(state, out=out, save=save)
    return INTERRUPTED if interrupted else _exit_code(state)


def _conversation(
    state: InterviewState,
    message: Message,
    *,
    terminal: Terminal,
    interviewer: Interviewer,
    save: Path | None,
) -> tuple[InterviewState, bool]:
    """Return the interview when it is over or answers have run out, and whether by an interrupt."""
    from federates.hems.interview.session import step  # noqa: PLC0415

    interrupted = False
    try:
        while not state.finished:
            text = terminal.answer(message, state)
            if text is None:
                break
            state, message = step(state, text, interviewer=interviewer)
            _save(state, save)
    except (KeyboardInterrupt, click.Abort):
        interrupted = True
    if state.finished:
        terminal.say(message)
    _save(state, save)
    return state, interrupted


def _exit_code(state: InterviewState) -> int:
    if state.finished == "failed":
        return FAILED
    return OK if state.finished == "done" else UNHEALTHY


def _interviewer(url: str | None, model: str | None, *, react: bool, few_shot: bool) -> Interviewer:
    from federates.hems.interview.chat_interviewer import ChatInterviewer  # noqa: PLC0415
    from federates.hems.interview.rules_interviewer import RulesInterviewer  # noqa: PLC0415

    server = server_settings(url, model, options=("--url", "--model"))
    if server is None:
        return RulesInterviewer()
    from federates.hems.chat.openai_server import OpenAiServer  # noqa: PLC0415

    return ChatInterviewer(OpenAiServer(server), react=react, few_shot=few_shot)


def _settings(**fields: str | bool) -> InterviewSettings:
    """Return settings; wrong ones name the option."""
    from pydantic import ValidationError  # noqa: PLC0415

    from federates.hems.interview.state import InterviewSettings  # noqa: PLC0415

    try:
        return InterviewSettings.model_validate(fields)
    except ValidationError as exc:
        fault = exc.errors(include_url=False)[0]
        name = str(fault["loc"][0])
        raise ScenarioError(f"Option --{name} {fields[name]!r}: {fault['msg']}.") from exc


def _resumed(path: Path) -> tuple[InterviewState, Message]:
    """Return a saved interview and what to say; one that was stopped is opened again."""
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


def _read_answers(path: Path) -> list[str]:
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


def _piped() -> Iterator[str] | None:
    """Return the lines of a pipe, or None at a terminal."""
    return None if sys.stdin.isatty() else (line.rstrip("\r\n") for line in sys.stdin)


def _check_folders(*paths: Path | None) -> None:
    """Refuse places that cannot be written to, before anything is asked."""
    for path in paths:
        if path is not None and not path.resolve().parent.is_dir():
            raise ScenarioError(f"{path}: its folder does not exist; make it first.")


def _save(state: InterviewState, path: Path | None) -> None:
    from federates.hems.interview.state import saved  # noqa: PLC0415

    if path is not None:
        _write_text(path, saved(state))


def _write(home: HomeFile, *, out: Path | None) -> None:
    from federates.hems.parameters.home_file import to_yaml  # noqa: PLC0415

    if out is None:
        with suppress(BrokenPipeError):
            click.echo(to_yaml(home), nl=False)
        return
    _write_text(out, to_yaml(home))


def _write_text(path: Path, text: str) -> None:
    try:
        with written_whole(path) as file:
            file.write(text.encode())
    except OSError as exc:
        raise ScenarioError(f"{path} cannot be written: {exc.strerror or exc}") from exc


def _transcript(state: InterviewState) -> str:
    """Return the conversation as Markdown."""
    parts = ["# Interview\n"]
    for exchange in state.exchanges:
        asked = "\n> ".join(exchange.message.text.splitlines())
        undone = " *(taken back)*" if exchange.undone else ""
        parts.append(f"> {asked}\n\n{exchange.text or '*(nothing)*'}{undone}\n")
    last = "\n> ".join(state.message.text.splitlines())
    return "\n".join([*parts, f"> {last}\n"])
