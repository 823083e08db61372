"""`gradmap hems interview`: a conversation on the terminal or a page, or answers from a file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from gradmap.errors import ScenarioError
from scenarios.cli.exit_codes import FAILED, INTERRUPTED, OK, UNHEALTHY
from scenarios.cli.hems_files import (
    check_folders,
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
    timezone: str,
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
    before the end (what is known is written, go on with --save), 130 interrupted.
    """
    from federates.hems.interview.session import begin, outcome  # noqa: PLC0415
    from scenarios.cli.hems_terminal import Terminal  # noqa: PLC0415

    _check_web(web, port=port, answers=answers)
    check_folders(out, save, transcript)
    said = None if answers is None else iter(read_answers(answers))
    interviewer = _interviewer(url, model, react=react, few_shot=few_shot)
    settings = _settings(
        locale=locale,
        currency=currency or CURRENCIES[locale],
        timezone=timezone,
        expert=expert,
        form=form,
    )
    terminal = Terminal(said if said is not None or web else _piped())
    resumed = None if save is None or not save.exists() else resumed_session(save)
    state, message = resumed or begin(settings, interviewer=interviewer)
    if resumed is not None:
        terminal.note(f"Going on after {state.turn} answers; settings are those of {save}.")
    if web:
        state, interrupted = _page(state, interviewer, port=port or 0, save=save, out=out)
    else:
        state, interrupted = _conversation(
            state, message, terminal=terminal, interviewer=interviewer, save=save
        )
    save_session(state, save)
    write_home(outcome(state), out=out)
    if transcript is not None:
        write_text(transcript, written_talk(state))
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
            save_session(state, save)
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
) -> tuple[InterviewState, bool]:
    """Return the interview when its page was closed, and whether by an interrupt before its end."""
    from federates.hems.interview.session import outcome  # noqa: PLC0415
    from scenarios.cli.hems_page import talk_in_browser  # noqa: PLC0415

    def keep(state: InterviewState) -> None:
        save_session(state, save)
        if state.finished and out is not None:
            write_home(outcome(state), out=out)

    return talk_in_browser(state, interviewer=interviewer, keep=keep, port=port, save=save, out=out)


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


def _piped() -> Iterator[str] | None:
    """Return the lines of a pipe, or None at a terminal."""
    return None if sys.stdin.isatty() else (line.rstrip("\r\n") for line in sys.stdin)


def _check_web(web: bool, *, port: int | None, answers: Path | None) -> None:
    if port is not None and not web:
        raise click.UsageError("Option --port needs --web, too.")
    if web and answers is not None:
        raise click.UsageError("Give --answers or --web, not both.")
