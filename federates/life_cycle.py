"""Run a component as a HELICS federate: join, exchange, step, fail loudly, leave.

Hazards met here, all observed with HELICS 3.6: a federate that raises and exits is invisible to its
peers (hence the global error), an ended co-simulation grants a huge time without an error (hence
the check of every grant), and an input nobody published reads -1e49 (hence `has a value`).
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import helics as h
import numpy as np
import orjson

from federates.child_environment import KEY_VARIABLE
from federates.component import Component, Ids, Inbox, Outputs, Stage
from federates.config import FederateConfig
from federates.granted_time import GrantedTimeWriter, granted_time_path
from federates.topics import (
    IDS_TOPIC,
    PORT_BY_NAME,
    Port,
    Values,
    check_values,
    decode_oedisi,
    encode_oedisi,
)
from gradmap.errors import FederationError

LOG = logging.getLogger(__name__)

GLOBAL_ERROR_CODE = 76


@dataclass(kw_only=True)
class Timings:
    """Where a federate's wall time went."""

    started_s: float = field(default_factory=time.perf_counter)
    joined_s: float = 0.0
    busy_s: float = 0.0
    """Computing and (de)coding; the rest is waiting for the others."""
    run_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class _Subscription:
    topic: str
    port: Port
    handle: h.HelicsInput
    ids_handle: h.HelicsInput


class FederateLink:
    """The HELICS side of one federate: publications, inputs, time."""

    def __init__(self, config: FederateConfig, component: Component) -> None:
        self._config = config
        self._component = component
        self._oedisi = config.encoding == "oedisi"
        self._output_ids = dict(component.output_ids())
        self._granted_s = 0.0
        self._shared_time = (
            GrantedTimeWriter(granted_time_path(config.log_folder, config.name))
            if config.log_folder is not None
            else None
        )
        self.federate = _create_federate(config)
        kind = h.HELICS_DATA_TYPE_STRING if self._oedisi else h.HELICS_DATA_TYPE_VECTOR
        self._publications = {
            port: h.helicsFederateRegisterPublication(self.federate, port.name, kind, "")
            for port in self._output_ids
        }
        self._ids_publication = h.helicsFederateRegisterPublication(
            self.federate, IDS_TOPIC, h.HELICS_DATA_TYPE_STRING, ""
        )
        self._subscriptions = [
            self._subscribe(PORT_BY_NAME[name], topic)
            for name, topics in config.subscriptions.items()
            for topic in topics
        ]
        self._expected: dict[str, int] = {}
        self.inbox = Inbox()

    def _subscribe(self, port: Port, topic: str) -> _Subscription:
        handle = h.helicsFederateRegisterSubscription(self.federate, topic, "")
        ids_topic = f"{topic.rpartition('/')[0]}/{IDS_TOPIC}"
        ids_handle = h.helicsFederateRegisterSubscription(self.federate, ids_topic, "")
        h.helicsInputSetOption(ids_handle, h.HELICS_HANDLE_OPTION_CONNECTION_OPTIONAL, 1)
        return _Subscription(topic=topic, port=port, handle=handle, ids_handle=ids_handle)

    def initialise(self) -> None:
        """Announce ids and initial values, learn those of the others, start executing."""
        h.helicsFederateEnterInitializingMode(self.federate)
        announced = {port.name: list(ids) for port, ids in self._output_ids.items()}
        h.helicsPublicationPublishString(self._ids_publication, orjson.dumps(announced).decode())
        self.publish(self._component.initial_outputs())
        h.helicsFederateEnterExecutingMode(self.federate)
        self._component.bind(self._learn_ids())
        self.receive()

    def _learn_ids(self) -> Mapping[str, Ids]:
        """Return the ids of every subscribed port, concatenated over its publishers."""
        learnt: dict[str, Ids] = {}
        for subscription in self._subscriptions:
            ids = self._announced_ids(subscription)
            self._expected[subscription.topic] = len(ids)
            name = subscription.port.name
            learnt[name] = learnt.get(name, ()) + ids
        return learnt

    def _announced_ids(self, subscription: _Subscription) -> Ids:
        """Return what the publisher announced, or what the component assumes if it did not."""
        if h.helicsInputIsUpdated(subscription.ids_handle):
            announced = orjson.loads(h.helicsInputGetString(subscription.ids_handle))
            if subscription.port.name in announced:
                return tuple(announced[subscription.port.name])
            topic_port = subscription.topic.rpartition("/")[2]
            if topic_port in announced:
                return tuple(announced[topic_port])
        assumed = self._component.expected_ids(subscription.port)
        if assumed is None:
            raise FederationError(
                f"Topic {subscription.topic!r} of port {subscription.port.name!r}: nobody "
                f"announced its ids. Check that its federate runs and is named so in "
                f"`subscriptions`, or publish them as JSON on its `{IDS_TOPIC}` topic."
            )
        LOG.info("%s announces no ids; assuming %d in our order", subscription.topic, len(assumed))
        return assumed

    def request(self, time_s: float) -> None:
        """Wait until `time_s` is granted. FederationError if the co-simulation ended early."""
        if time_s == self._granted_s:  # time 0 is granted by entering execution
            return
        granted_s = h.helicsFederateRequestTime(self.federate, time_s)
        if granted_s != time_s:
            raise FederationError(
                f"HELICS granted {granted_s} s where {time_s} s was requested: the "
                f"co-simulation was ended by another federate or by the broker. "
                f"Look at the log of the federate that stopped first."
            )
        self._granted_s = granted_s
        if self._shared_time is not None:
            self._shared_time.write(granted_s)

    def receive(self) -> None:
        """Put every updated input into the inbox."""
        updated: dict[str, list[Values]] = {}
        for subscription in self._subscriptions:
            if not h.helicsInputIsUpdated(subscription.handle):
                continue
            values = self._read(subscription)
            updated.setdefault(subscription.port.name, []).append(values)
        for name, pieces in updated.items():
            n_topics = len(self._config.subscriptions[name])
            if len(pieces) != n_topics:
                raise FederationError(
                    f"Port {name!r}: {len(pieces)} of its {n_topics} topics were published at "
                    f"{self._granted_s} s, expected all of them in the same step."
                )
            self.inbox.put(name, pieces[0] if n_topics == 1 else np.concatenate(pieces))

    def _read(self, subscription: _Subscription) -> Values:
        n_expected = self._expected[subscription.topic]
        if self._oedisi:
            text = h.helicsInputGetString(subscription.handle)
            values, _ = decode_oedisi(text, topic=subscription.topic)
        else:
            values = np.array(h.helicsInputGetVector(subscription.handle))
        check_values(values, topic=subscription.topic, n_expected=n_expected)
        return values

    def publish(self, outputs: Outputs) -> None:
        """Publish the values of each port."""
        for port, values in outputs.items():
            publication = self._publications[port]
            if self._oedisi:
                text = encode_oedisi(
                    port, values, ids=self._output_ids[port], time=self._wall_clock()
                )
                h.helicsPublicationPublishString(publication, text)
            else:
                h.helicsPublicationPublishVector(publication, values.tolist())

    def _wall_clock(self) -> datetime | None:
        """Return the granted time as wall clock, if the schedule says when time 0 is."""
        start = self._config.schedule.start
        return None if start is None else start + timedelta(seconds=self._granted_s)

    def report_error(self, message: str) -> None:
        """Stop the whole federation, with our words; without it the others would run on."""
        h.helicsFederateGlobalError(self.federate, GLOBAL_ERROR_CODE, message)

    def leave(self) -> None:
        """Disconnect."""
        h.helicsFederateDisconnect(self.federate)


def _create_federate(config: FederateConfig) -> h.HelicsFederate:
    """Register with the broker; blocks until the broker answers."""
    info = h.helicsCreateFederateInfo()
    h.helicsFederateInfoSetCoreName(info, f"{config.name}_core_{os.getpid()}")
    h.helicsFederateInfoSetCoreTypeFromString(info, config.broker.core_type)
    broker = f"--federates=1 --broker_address={config.broker.host} --loglevel=warning"
    if config.broker.port is not None:
        broker += f" --brokerport={config.broker.port}"
    h.helicsFederateInfoSetCoreInitString(info, broker)
    key = os.environ.get(KEY_VARIABLE)
    if key:
        h.helicsFederateInfoSetBrokerKey(info, key)
    h.helicsFederateInfoSetTimeProperty(info, h.HELICS_PROPERTY_TIME_DELTA, 1.0)
    # No period: it would round the grants inside a step up to the next whole step.
    h.helicsFederateInfoSetFlagOption(info, h.HELICS_FLAG_UNINTERRUPTIBLE, True)
    h.helicsFederateInfoSetFlagOption(info, h.HELICS_FLAG_TERMINATE_ON_ERROR, True)
    try:
        return h.helicsCreateValueFederate(config.name, info)
    except h.HelicsException as exc:
        raise FederationError(
            f"Federate {config.name!r} could not join the broker at {config.broker.host}:"
            f"{config.broker.port or 'default port'}: {exc}. Start the broker first, and check "
            f"port, key and that no other federate has this name."
        ) from exc


def run_federate(
    config: FederateConfig,
    component: Component,
    *,
    on_error: Callable[[BaseException], None],
) -> Timings:
    """Join the federation, run every step and leave.

    Args:
        config: Who we are, and the schedule.
        component: What we compute.
        on_error: Told of a failure before the federation is, so that the first cause is on record
            before its consequences.

    Raises:
        FederationError: The federation was ended, or a message was wrong.
        Exception: Whatever the component raises; the federation has then been told.
    """
    timings = Timings()
    link = FederateLink(config, component)
    try:
        link.initialise()
        timings.joined_s = time.perf_counter()
        schedule = config.schedule.schedule()
        run_steps = _run_lag if schedule.mode == "lag" else _run_ordered
        run_steps(link, component, config, timings)
        component.close()
    except BaseException as exc:
        on_error(exc)
        with _helics_errors_logged():
            link.report_error(f"federate {config.name!r}: {exc}"[:2000])
        # What was recorded so far is worth keeping, whatever went wrong.
        component.close()
        raise
    timings.run_s = time.perf_counter() - timings.joined_s
    link.leave()
    return timings


@contextmanager
def _helics_errors_logged() -> Iterator[None]:
    """While failing, a second HELICS error must not hide the first."""
    try:
        yield
    except h.HelicsException as exc:
        LOG.warning("while reporting the error: %s", exc)


@contextmanager
def _busy(timings: Timings) -> Iterator[None]:
    started = time.perf_counter()
    yield
    timings.busy_s += time.perf_counter() - started


def _run_ordered(
    link: FederateLink, component: Component, config: FederateConfig, timings: Timings
) -> None:
    """Couplings `ordered` and `iterate`: one grant per stage and repeat."""
    schedule = config.schedule.schedule()
    for step in range(schedule.n_steps):
        for stage in component.stages:
            again, repeat = True, 0
            while again:
                link.request(step * schedule.dt_s + schedule.offset_s(stage, repeat=repeat))
                with _busy(timings):
                    link.receive()
                    result = component.run_stage(stage, step=step, repeat=repeat, inbox=link.inbox)
                    link.publish(result.outputs)
                again, repeat = result.again, repeat + 1


def _run_lag(
    link: FederateLink, component: Component, config: FederateConfig, timings: Timings
) -> None:
    """Coupling `lag`: read at the start of the step, publish one second later, all alike.

    Reading and publishing at the same granted time would leave it to chance whether a neighbour
    sees the value in this step or the next.
    """
    schedule = config.schedule.schedule()
    recording = Stage.RECORD in component.stages
    for step in range(schedule.n_steps):
        start_s = step * schedule.dt_s
        link.request(start_s + (schedule.offset_s(Stage.RECORD) if recording else 0))
        outputs: dict[Port, Values] = {}
        with _busy(timings):
            link.receive()
            for stage in component.stages:
                result = component.run_stage(stage, step=step, repeat=0, inbox=link.inbox)
                outputs.update(result.outputs)
        if not recording:
            link.request(start_s + schedule.publish_offset_s)
            with _busy(timings):
                link.publish(outputs)


def exit_with_parent(parent_pid: int) -> None:
    """End this process when its supervisor is gone, however the supervisor went."""

    def watch() -> None:
        while os.getppid() == parent_pid:
            time.sleep(0.5)
        os._exit(3)

    threading.Thread(target=watch, name="exit-with-parent", daemon=True).start()
