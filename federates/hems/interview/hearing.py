"""What rules understand of an answer, with all the context the interview has."""

from __future__ import annotations

from federates.hems.interview.state import InterviewState
from federates.hems.parameters.slots import slot
from federates.hems.understanding.result import Understanding
from federates.hems.understanding.rules import understand


def understood(state: InterviewState) -> Understanding:
    """Return what rules understand of the householder's latest answer."""
    exchange, settings = state.exchanges[-1], state.settings
    message = exchange.message
    return understand(
        exchange.text,
        asked=[slot(key) for key in message.slots],
        known=state.progress.values,
        locale=settings.locale,
        currency=settings.currency,
        proposed=message.proposed or None,
        options=message.options,
        year=settings.year,
    )
