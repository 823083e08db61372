"""What comes next, decided by code: doubts, then open slots, then the read-back, then the end.

The same state gives the same topic. A slot is asked `max_asks` times, then offered as a menu, then
left at its default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from federates.hems.interview import wording
from federates.hems.interview.options import options_of
from federates.hems.interview.state import InterviewSettings, InterviewState, Message, Progress
from federates.hems.parameters.completion import completed
from federates.hems.parameters.conflict import Conflict
from federates.hems.parameters.ev_models import ev_capacity_kwh
from federates.hems.parameters.feasibility import conflicts
from federates.hems.parameters.home_file import HomeFile
from federates.hems.parameters.slot import Slot, Value, Who
from federates.hems.parameters.slots import SLOTS, applicable, ruled_out, slot
from federates.hems.parameters.sources import Provenance

MAX_CONFLICT_ASKS: Final = 2
MAX_READ_BACKS: Final = 3
_MAX_RESOLVE: Final = 2

Stage = Literal["doubt", "conflict", "open", "read_back", "end"]


@dataclass(frozen=True, kw_only=True)
class Topic:
    """What to talk about next, with the words of code for it."""

    stage: Stage
    message: Message

    @property
    def free_wording(self) -> bool:
        """Return whether an interviewer may ask in own words; doubts and read-backs are exact."""
        return self.stage == "open" and self.message.kind in ("ask", "clarify")


def next_topic(state: InterviewState) -> Topic:
    """Return what to talk about next."""
    return (
        _doubt(state)
        or _conflict(state)
        or _open(state)
        or _section_to_read(state)
        or Topic(stage="end", message=end_message(state, "done"))
    )


def open_slots(progress: Progress, settings: InterviewSettings) -> tuple[Slot, ...]:
    """Return the slots that are to be asked and have neither a value nor a reason for none."""
    values = progress.values
    return tuple(
        item
        for item in SLOTS
        if _is_asked(item, settings)
        and item.key not in progress.records
        and item.key not in progress.declined
        and applicable(item, values)
        and not _looked_up(item, values)
    )


def pending_conflicts(
    progress: Progress, settings: InterviewSettings, *, settled: bool = False
) -> tuple[Conflict, ...]:
    """Return what does not fit together and was not put to the householder often enough.

    Args:
        progress: The interview.
        settings: Its settings.
        settled: Return instead those that were, and were left as they are.
    """
    found = conflicts(progress.values, design_temp_c=settings.design_temp_c)
    return tuple(
        conflict
        for conflict in found
        if (progress.conflicts.get(conflict_name(conflict), 0) >= MAX_CONFLICT_ASKS) == settled
    )


def conflict_name(conflict: Conflict) -> str:
    """Return what a conflict is called in the state."""
    return f"{conflict.rule}: {', '.join(conflict.keys)}"


def home_so_far(progress: Progress, settings: InterviewSettings) -> HomeFile:
    """Return the home of what is recorded, completed by defaults."""
    return completed(
        progress.values,
        {key: record.source for key, record in progress.records.items()},
        timezone=settings.timezone,
        currency=settings.currency,
        design_temp_c=settings.design_temp_c,
    )


def end_message(state: InterviewState, reason: str) -> Message:
    """Return the last message: what was left, and what was taken without asking."""
    home = home_so_far(state.progress, state.settings)
    read = {key for section in state.progress.read_backs for key in _asked_in(section, state, home)}
    taken = {
        key: value
        for key, value in home.values.items()
        if home.sources[key].provenance is Provenance.DEFAULT and key not in read
    }
    left = pending_conflicts(state.progress, state.settings, settled=True)
    if reason != "done":
        left += pending_conflicts(state.progress, state.settings)
    text = wording.ending(
        reason,
        assumed=taken,
        open_=[conflict.question for conflict in left],
        not_agreed=_never_agreed(state.progress),
        currency=state.settings.currency,
    )
    return Message(kind="end", text=text)


def _never_agreed(progress: Progress) -> tuple[str, ...]:
    """Return the sections that were read back as often as it is done, and not agreed to."""
    return tuple(
        section
        for section, times in progress.read_backs.items()
        if times >= MAX_READ_BACKS and section not in progress.agreed
    )


def _doubt(state: InterviewState) -> Topic | None:
    """Return what an unclear answer may mean: a choice, a value to agree to, or the question."""
    currency = state.settings.currency
    for key, doubt in state.progress.doubts.items():
        item, readings = slot(key), doubt.readings
        match len(readings):
            case 0:
                text = f"{doubt.question} {item.question}"
                message = Message(kind="clarify", text=text, slots=(key,))
            case 1:
                told = wording.value_words(item, readings[0], currency=currency)
                message = Message(
                    kind="confirm",
                    text=f"{doubt.question} I understood {told}. Is that right?",
                    slots=(key,),
                    proposed={key: readings[0]},
                )
            case _:
                message = Message(
                    kind="menu",
                    text=wording.menu(item, readings, lead=doubt.question, currency=currency),
                    slots=(key,),
                    options=readings,
                )
        return Topic(stage="doubt", message=message)
    return None


def _conflict(state: InterviewState) -> Topic | None:
    """Return the first conflict, with the slots that would help."""
    for conflict in pending_conflicts(state.progress, state.settings):
        values = state.progress.values
        slots = [key for key in conflict.resolve if not ruled_out(slot(key), values)]
        message = Message(
            kind="clarify",
            text=wording.conflict_words(conflict),
            slots=tuple(slots[:_MAX_RESOLVE]),
            about=conflict_name(conflict),
        )
        return Topic(stage="conflict", message=message)
    return None


def _open(state: InterviewState) -> Topic | None:
    """Return the next open slot, or the open slots of its section as a form.

    What was just asked without success is asked again before anything new.
    """
    progress, settings = state.progress, state.settings
    waiting = (*_still_waiting(state), *open_slots(progress, settings))
    if not waiting:
        return None
    first = waiting[0]
    asked = progress.asks.get(first.key, 0)
    if asked >= settings.max_asks:
        return Topic(stage="open", message=_last_question(first, progress, settings))
    group: tuple[Slot, ...] = (first,)
    if settings.form and not asked:
        group = tuple(
            item
            for item in waiting
            if item.section == first.section and not progress.asks.get(item.key)
        )
    message = Message(
        kind="clarify" if asked else "ask",
        text=wording.question(group, asked_before=bool(asked)),
        slots=tuple(item.key for item in group),
    )
    return Topic(stage="open", message=message)


def _still_waiting(state: InterviewState) -> tuple[Slot, ...]:
    """Return the slots that were just asked without success."""
    progress = state.progress
    return tuple(
        slot(key)
        for key in state.message.slots
        if key not in progress.records
        and key not in progress.declined
        and not ruled_out(slot(key), progress.values)
        and not _looked_up(slot(key), progress.values)  # read back, never asked
    )


def _section_to_read(state: InterviewState) -> Topic | None:
    """Return the next section to read back."""
    progress, settings = state.progress, state.settings
    if not settings.read_back:
        return None
    home = home_so_far(progress, settings)
    for section in dict.fromkeys(item.section for item in SLOTS):
        times = progress.read_backs.get(section, 0)
        if section in progress.agreed or times >= MAX_READ_BACKS:
            continue
        values = _asked_in(section, state, home)
        if values:
            text = wording.read_back(
                section,
                values,
                provenances={key: home.sources[key].provenance for key in values},
                units={key: record.unit for key, record in progress.records.items()},
                currency=settings.currency,
                manner=_manner(section, values, state),
            )
            message = Message(
                kind="confirm", text=text, slots=tuple(values), proposed=values, about=section
            )
            return Topic(stage="read_back", message=message)
    return None


def _manner(section: str, values: Mapping[str, Value], state: InterviewState) -> wording.ReadBack:
    """Return how a section is read back: what was read before may have changed or not."""
    before = next(
        (
            exchange.message
            for exchange in reversed(state.exchanges)
            if exchange.message.kind == "confirm" and exchange.message.about == section
        ),
        None,
    )
    if before is None or not state.progress.read_backs.get(section):
        return "first"
    if before.proposed != values:
        return "changed"
    was_last = state.exchanges[-1].message == before
    noted_else = bool(state.past) and state.past[-1].records != state.progress.records
    return "not_understood" if was_last and not noted_else else "once_more"


def _asked_in(section: str, state: InterviewState, home: HomeFile) -> dict[str, Value]:
    """Return the values of a section that householders know: asked ones, and all they gave."""
    return {
        key: value
        for key, value in home.values.items()
        if slot(key).section == section
        and (_is_asked(slot(key), state.settings) or key in state.progress.records)
    }


def _is_asked(item: Slot, settings: InterviewSettings) -> bool:
    return item.who in (Who.ALWAYS, Who.DEVICE) or (settings.expert and item.who is Who.EXPERT)


def _looked_up(item: Slot, values: Mapping[str, Value]) -> bool:
    """Return whether code knows the value from the model of the car."""
    if item.name != "capacity_kwh" or not item.section.startswith("evs."):
        return False
    return ev_capacity_kwh(str(values.get(f"{item.section}.model", ""))) is not None


def _last_question(item: Slot, progress: Progress, settings: InterviewSettings) -> Message:
    """Return a menu, or where there is nothing to choose from, the question with help."""
    home = home_so_far(progress, settings)
    options = options_of(item, default=home.values.get(item.key))
    if not options:
        text = wording.question((item,), asked_before=True)
        return Message(kind="clarify", text=text, slots=(item.key,))
    text = wording.menu(item, options, lead="I did not get that.", currency=settings.currency)
    return Message(kind="menu", text=text, slots=(item.key,), options=options)
