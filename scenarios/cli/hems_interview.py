"""`gradmap hems interview`: a conversation on the terminal or a page, or answers from a file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from gradmap.errors import ScenarioError
from scenarios.cli.exit_codes import FAILED, INTERRUPTED, OK, UNHEALTHY
from scenarios.cli.hems_files import (
    Answers,
    check_folders,
    home_place,
    in_order,
    read_answers,
    resumed_session,
    save_session,
    write_home,
    write_text,
    written_talk,
)
from scenarios.cli.hems_server import server_settings

if TYPE_CHECKING:
    from federates.hems.interview.interviewer import Interviewer
    from federates.hems.interview.state import InterviewSettings, InterviewState, Message
    from scenarios.cli.hems_terminal import Terminal

CURRENCIES: Final = {"en-GB": "GBP", "en-IE": "EUR", "en-US": "USD"}
TIME_ZONES: Final = {
    "en-GB": "Europe/London",
    "en-IE": "Europe/Dublin",
    "en-US": "America/New_York",
}
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(
    "interview",
    epilog="Example: gradmap hems interview --out home.yaml --save session.json",
    short_help="Ask a householder about their home.",
)
@click.option("--out", type=_FILE, help="Home file to write; printed if left out.")
@click.option("--save", type=_FILE, help="Saved after every answer; an existing one goes on.")
@click.option("--answers", type=_FILE, help="One answer a line, or YAML: a list, or by slot.")
@click.option("--transcript", type=_FILE, help="Write what was said as Markdown.")
@click.option("--locale", type=click.Choice(sorted(CURRENCIES)), default="en-GB", show_default=True)
@click.option("--currency", help="ISO 4217 code of prices.  [default: that of the locale]")
@click.option(
    "--timezone", help="IANA zone, also of a resumed interview.  [default: that of the locale]"
)
@click.option("--expert", is_flag=True, help="Also ask what most homes leave at its default.")
@click.option("--form", is_flag=True, help="Ask a whole section at once.")
@click.option("--url", help="OpenAI-compatible server; without one, rules understand the answers.")
@click.option("--model", help="Its model.")
@click.option("--react/--no-react", default=True, show_default=True, help="Thought before action.")
@click.option("--few-shot/--no-few-shot", default=True, show_default=True, help="Examples.")
@click.option("--web", is_flag=True, help="Talk on a page in a browser on this machine.")
@click.option(
    "--port", type=click.IntRange(1024, 65535), help="Of the page.  [default: a free one]"
)
def command(
    *,
    out: Path | None,
    save: Path | None,
    answers: Path | None,
    transcript: Path | None,
    locale: str,
    currency: str | None,
    timezone: str | None,
    expert: bool,
    form: bool,
    url: str | None,
    model: str | None,
    react: bool,
    few_shot: bool,
    web: bool,
    port: int | None,
) -> int:
    """Interview a householder and write the home file.

    Answers come from the terminal, from a pipe, from --answers, or with --web from a page that
    only this machine can open. At any time: undo, skip, help, repeat, stop. What nobody said keeps
    a default, marked as such. --save holds what was said: treat it as personal data.

    Exit codes: 0 done, 1 the language model failed, 2 wrong input, 3 stopped or answers ran out
    before the end (what is known is written, go on with --save), 130 interrupted. Only a finished
    interview replaces a home file that was there; else home.partial.yaml is written beside it.
    """
    from federates.hems.interview.session import outcome  # noqa: PLC0415
    from scenarios.cli.hems_terminal import Terminal  # noqa: PLC0415

    _check_web(web, port=port, answers=answers)
    check_folders(out, save, transcript)
    said = None if answers is None else read_answers(answers)
    settings = _settings(
        locale=locale,
        currency=currency or CURRENCIES[locale],
        timezone=timezone or TIME_ZONES[locale],
        expert=expert,
        form=form,
        year=datetime.now(UTC).year,
    )
    terminal = Terminal(said if said is not None or web else _piped())
    interviewer = _interviewer(url, model, react=react, few_shot=few_shot, terminal=terminal)
    state, message = _begun(settings, interviewer, save=save, timezone=timezone, terminal=terminal)
    place = partial(home_place, out, was_there=out is not None and out.exists())
    if web:
        state, interrupted = _page(
            state, interviewer, port=port or 0, save=save, out=out, place=place, terminal=terminal
        )
    else:
        state, interrupted = _conversation(
            state, message, terminal=terminal, interviewer=interviewer, save=save
        )
    save_session(state, save)
    written = place(state)
    write_home(outcome(state), out=written)
    if transcript is not None:
        write_text(transcript, written_talk(state))
    terminal.ended(state, out=out, written=written, save=save)
    return INTERRUPTED if interrupted else _exit_code(state)


def _begun(
    settings: InterviewSettings,
    interviewer: Interviewer,
    *,
    save: Path | None,
    timezone: str | None,
    terminal: Terminal,
) -> tuple[InterviewState, Message]:
    """Return a new interview, or the saved one in the time zone of the command line."""
    from federates.hems.interview.session import begin  # noqa: PLC0415

    if save is None or not save.exists():
        return begin(settings, interviewer=interviewer)
    state, message = resumed_session(save, timezone)
    zone = f", but the time zone is {timezone}" if timezone else ""
    terminal.note(f"Going on after {state.turn} answers; settings are those of {save}{zone}.")
    return state, message


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
            save_session(state, save)
            terminal.fell_back(state)
    except (KeyboardInterrupt, click.Abort):
        interrupted = True
    if state.finished:
        terminal.say(message)
    return state, interrupted


def _page(
    state: InterviewState,
    interviewer: Interviewer,
    *,
    port: int,
    save: Path | None,
    out: Path | None,
    place: Callable[[InterviewState], Path | None],
    terminal: Terminal,
) -> tuple[InterviewState, bool]:
    """Return the interview when its page was closed, and whether by an interrupt before its end."""
    from federates.hems.interview.session import outcome  # noqa: PLC0415
    from scenarios.cli.hems_page import talk_in_browser  # noqa: PLC0415

    told = state.turn

    def keep(state: InterviewState) -> None:
        nonlocal told
        if state.turn > told:  # saving again is no news
            told = state.turn
            terminal.fell_back(state)
        save_session(state, save)
        if state.finished and out is not None:
            write_home(outcome(state), out=place(state))

    return talk_in_browser(state, interviewer=interviewer, keep=keep, port=port, save=save, out=out)


def _exit_code(state: InterviewState) -> int:
    if state.finished == "failed":
        return FAILED
    return OK if state.finished == "done" else UNHEALTHY


def _interviewer(
    url: str | None, model: str | None, *, react: bool, few_shot: bool, terminal: Terminal
) -> Interviewer:
    """Return who conducts the interview; without its server, rules, and the terminal says so."""
    from federates.hems.interview.chat_interviewer import ChatInterviewer  # noqa: PLC0415
    from federates.hems.interview.rules_interviewer import RulesInterviewer  # noqa: PLC0415

    server = server_settings(url, model, options=("--url", "--model"))
    if server is None:
        return RulesInterviewer()
    from federates.hems.chat.openai_server import OpenAiServer  # noqa: PLC0415

    chat = OpenAiServer(server)
    if not chat.answers():
        terminal.note(f"No server at {server.base_url}; rules will understand the answers instead.")
        return RulesInterviewer()
    return ChatInterviewer(chat, react=react, few_shot=few_shot)


def _settings(**fields: str | bool | int) -> InterviewSettings:
    """Return settings; wrong ones name the option."""
    from pydantic import ValidationError  # noqa: PLC0415

    from federates.hems.interview.state import InterviewSettings  # noqa: PLC0415

    try:
        return InterviewSettings.model_validate(fields)
    except ValidationError as exc:
        fault = exc.errors(include_url=False)[0]
        name = str(fault["loc"][0])
        why = fault["msg"].removeprefix("Value error, ")
        raise ScenarioError(f"Option --{name} {fields[name]!r}: {why}.") from exc


def _piped() -> Answers | None:
    """Return the lines of a pipe, or None at a terminal."""
    return None if sys.stdin.isatty() else in_order(line.rstrip("\r\n") for line in sys.stdin)


def _check_web(web: bool, *, port: int | None, answers: Path | None) -> None:
    if port is not None and not web:
        raise click.UsageError("Option --port needs --web, too.")
    if web and answers is not None:
        raise click.UsageError("Give --answers or --web, not both.")
