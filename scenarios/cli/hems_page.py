"""`gradmap hems interview --web`: the conversation of `hems_terminal` as a page in a browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from federates.hems.interview.interviewer import Interviewer
from federates.hems.interview.state import InterviewState
from scenarios.web.conversation import Conversation
from scenarios.web.server import PageServer, Places

_POLL_S = 0.1


def talk_in_browser(
    state: InterviewState,
    *,
    interviewer: Interviewer,
    keep: Callable[[InterviewState], None],
    port: int,
    save: Path | None,
    out: Path | None,
) -> tuple[InterviewState, bool]:
    """Serve the page until it is closed or the program interrupted.

    Args:
        state: The interview, new or resumed.
        interviewer: Who conducts it.
        keep: Called after every change.
        port: On the loopback interface; 0 for a free one.
        save: Where the session is kept, for the page to name.
        out: Where the home file is written, for the page to name.

    Returns:
        The interview, and whether it was interrupted before its end.

    Raises:
        ScenarioError: The port cannot be used.
    """
    conversation = Conversation(state, interviewer=interviewer, keep=keep)
    places = Places(save=_named(save), out=_named(out))
    interrupted = False
    with PageServer(conversation, port=port, places=places, tell=_tell) as server:
        _tell(
            f"Open this address in a browser on this machine; it is meant for you alone:\n\n"
            f"    {server.gate.address}\n\n"
            f"Ctrl-C ends the program{' and keeps what was said' if save else ''}."
        )
        try:
            server.serve_forever(poll_interval=_POLL_S)
        except (KeyboardInterrupt, click.Abort):
            interrupted = True
    state = conversation.close()
    return state, interrupted and state.finished != "done"


def _named(path: Path | None) -> str:
    return "" if path is None else str(path)


def _tell(text: str) -> None:
    click.echo(text, err=True)
