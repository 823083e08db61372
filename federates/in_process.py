"""All components of a federation in one process, without HELICS: the same stages, the same numbers.

For debugging, for platforms without sockets, and as the reference a federated run must equal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from federates.component import Component, Ids, Inbox, Outputs, Schedule, Stage
from federates.config import FederateConfig
from federates.topics import PORT_BY_NAME, Values, check_values


@dataclass(frozen=True, kw_only=True)
class Member:
    """One federate of the in-process federation."""

    config: FederateConfig
    component: Component


class _Mailbox:
    """Newest values by topic, and each member's view of them."""

    def __init__(self, members: tuple[Member, ...]) -> None:
        self._values: dict[str, Values] = {}
        self._ids: dict[str, Ids] = {}
        for member in members:
            for port, ids in member.component.output_ids().items():
                self._ids[f"{member.config.name}/{port.name}"] = ids

    def post(self, member: Member, outputs: Outputs) -> None:
        for port, values in outputs.items():
            topic = f"{member.config.name}/{port.name}"
            check_values(values, topic=topic, n_expected=len(self._ids[topic]))
            self._values[topic] = values

    def ids_for(self, member: Member) -> Mapping[str, Ids]:
        return {
            port: sum((self._ids[topic] for topic in topics), ())
            for port, topics in member.config.subscriptions.items()
        }

    def inbox_for(self, member: Member) -> Inbox:
        inbox = Inbox()
        for port, topics in member.config.subscriptions.items():
            pieces = [self._values[topic] for topic in topics if topic in self._values]
            if pieces:
                name = PORT_BY_NAME[port].name
                inbox.put(name, pieces[0] if len(pieces) == 1 else np.concatenate(pieces))
        return inbox


def run_in_process(
    members: tuple[Member, ...],
    *,
    schedule: Schedule,
    on_step: Callable[[int], None] | None = None,
) -> None:
    """Run every step of the federation.

    Args:
        members: The federates; order within a stage does not matter.
        schedule: Steps and coupling.
        on_step: Called with the number of finished steps, for progress.
    """
    mailbox = _Mailbox(members)
    for member in members:
        mailbox.post(member, member.component.initial_outputs())
    for member in members:
        member.component.bind(mailbox.ids_for(member))
    run_step = _lag_step if schedule.mode == "lag" else _ordered_step
    try:
        for step in range(schedule.n_steps):
            run_step(members, mailbox, step)
            if on_step is not None:
                on_step(step + 1)
    finally:
        for member in members:
            member.component.close()


def _ordered_step(members: tuple[Member, ...], mailbox: _Mailbox, step: int) -> None:
    for stage in (Stage.ENVIRONMENT, Stage.OBSERVE, Stage.ACT):
        _run_stage(members, mailbox, stage, step, repeat=0)
    repeat, again = 0, True
    while again:
        # The homes learn from the grid's last answer whether another solve is needed.
        again = _run_stage(members, mailbox, Stage.APPLY, step, repeat=repeat)
        if again or repeat == 0:
            _run_stage(members, mailbox, Stage.SOLVE, step, repeat=repeat)
        repeat += 1
    _run_stage(members, mailbox, Stage.RECORD, step, repeat=0)


def _run_stage(
    members: tuple[Member, ...], mailbox: _Mailbox, stage: Stage, step: int, *, repeat: int
) -> bool:
    """Run one stage of all members that have it; True if any of them wants a repeat."""
    again = False
    posts: list[tuple[Member, Outputs]] = []
    for member in members:
        if stage in member.component.stages:
            inbox = mailbox.inbox_for(member)
            result = member.component.run_stage(stage, step=step, repeat=repeat, inbox=inbox)
            posts.append((member, result.outputs))
            again = again or result.again
    for member, outputs in posts:
        mailbox.post(member, outputs)
    return again


def _lag_step(members: tuple[Member, ...], mailbox: _Mailbox, step: int) -> None:
    posts: list[tuple[Member, Outputs]] = []
    for member in members:
        inbox = mailbox.inbox_for(member)
        for stage in member.component.stages:
            if stage is not Stage.RECORD:
                result = member.component.run_stage(stage, step=step, repeat=0, inbox=inbox)
                posts.append((member, result.outputs))
    for member, outputs in posts:
        mailbox.post(member, outputs)
    _run_stage(members, mailbox, Stage.RECORD, step, repeat=0)
