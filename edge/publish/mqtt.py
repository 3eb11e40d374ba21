"""Publishes what the pipeline says, to one MQTT broker, for as long as the box runs.

Live values (summaries, health) are worth something now or not at all: the newest waits for the network, older ones and
those without a connection are dropped and counted. Alerts wait in the outbox, on disk, until the broker has
acknowledged them, and arrive in order. What is retained (``state``, ``alerts/active``, ``lesson``) is said again with
each connection, so that a broker that forgot is put right. Commands are heard while connected, and answered.
"""

import logging
import random
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge.clock import Clock, SystemClock, utc_now
from edge.errors import BrokerError
from edge.publish.commands import Command, Reply
from edge.publish.connection import Connection, Endpoint, Waker, Will
from edge.publish.delivery import Delivery
from edge.publish.desk import CommandDesk, CommandStats
from edge.publish.outbox import Outbox, OutboxStats
from edge.publish.payload import (
    MOST_ALERTS,
    ActiveAlertsPayload,
    AlertPayload,
    HealthPayload,
    LessonPayload,
    Presence,
    StatePayload,
    SummaryPayload,
)
from edge.publish.topics import Topics
from edge.publish.tray import Tray
from edge.summary import Alert, AlertState, Health, Lesson, Outgoing, WindowSummary

_LOGGER = logging.getLogger(__name__)

_GOODBYE_S = 2.0  # for the last alerts and the "offline" to be acknowledged


@dataclass(frozen=True, slots=True)
class PublisherStatus:
    """Where the publisher stands."""

    connected: bool
    """Whether the broker has accepted the connection, and it holds."""

    error: str | None
    """Why it isn't connected, in one line; ``None`` while it is, and before the first try."""

    connections: int
    """Connections that were accepted."""

    dropped: int
    """Summaries, health messages and answers that were not sent."""

    outbox: OutboxStats
    commands: CommandStats


class MqttPublisher:
    """Sends summaries, alerts, health and lessons to a broker, and hears commands. A sink of the pipeline.

    Args:
        host: The broker's name or address.
        port: Its TCP port.
        topics: Of this box.
        outbox: Where alerts wait. The caller closes it, after the publisher.
        client_id: Unique at the broker and the same after a restart, so that the broker ends the old connection before
            it accepts the new one; made from the topics if not given.
        username: To log in.
        password: To log in.
        tls_ca: PEM file with the certificate that signed the broker's; without it the connection is not encrypted.
        backoff_s: Seconds to wait after a failure, at first and at most; doubled each time, and each wait is a random
            part of it, so that a school's boxes don't all come back at once.
        on_command: Carries out what the room is told; see :class:`CommandDesk`. Without it no commands are heard.
        clock: For waits.

    Raises:
        SettingsError: A value can't be right.
    """

    def __init__(  # noqa: PLR0913 - one keyword a setting
        self,
        *,
        host: str,
        port: int,
        topics: Topics,
        outbox: Outbox,
        client_id: str | None = None,
        username: str | None = None,
        password: str | None = None,
        tls_ca: Path | None = None,
        backoff_s: tuple[float, float] = (1.0, 60.0),
        on_command: Callable[[Command], Reply] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._endpoint = Endpoint(
            host=host,
            port=port,
            client_id=client_id or f"edge-{topics.site}-{topics.room}",
            username=username,
            password=password,
            tls_ca=tls_ca,
        )
        self._topics = topics
        self._outbox = outbox
        self._first_s, self._most_s = backoff_s
        self._clock = clock or SystemClock()
        self._waker = Waker()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._error: str | None = None
        self._connections = 0
        self._active: dict[str, AlertPayload] = {}
        self._tray = Tray()
        self._tray.put_retained(topics.alerts_active, ActiveAlertsPayload(alerts=()).to_json())
        self._tray.put_retained(topics.lesson, LessonPayload.of(None).to_json())
        self._desk = (
            None
            if on_command is None
            else CommandDesk(on_command=on_command, answer=self._accept_answer, clock=self._clock)
        )
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to connect, in a thread of its own; the broker need not be up."""
        if self._thread is not None:
            raise RuntimeError("the publisher was started before")
        if self._desk is not None:
            self._desk.start()
        self._thread = threading.Thread(target=self._run, name="mqtt")
        self._thread.start()

    def accept(self, item: Outgoing) -> None:
        """Take one item; an alert is on disk when this returns, all else waits in memory."""
        if isinstance(item, Alert):
            self._accept_alert(AlertPayload.of(item))
        elif isinstance(item, WindowSummary):
            self._tray.put_live(self._topics.summary(item.role), SummaryPayload.of(item).to_json())
        elif isinstance(item, Health):
            self._tray.put_live(self._topics.health, HealthPayload.of(item).to_json())
        elif isinstance(item, Lesson):
            self._tray.put_retained(self._topics.lesson, LessonPayload.of(item).to_json())
        self._waker.wake()

    def status(self) -> PublisherStatus:
        """Return a consistent snapshot."""
        commands = CommandStats() if self._desk is None else self._desk.stats()
        with self._lock:
            return PublisherStatus(
                self._tray.is_open, self._error, self._connections, self._tray.dropped, self._outbox.stats(), commands
            )

    def close(self) -> None:
        """Send what can be sent in two seconds, say ``offline``, and end; what was not sent stays in the outbox.

        Waits for a command that is being carried out.
        """
        if self._desk is not None:
            self._desk.close()
        self._stop.set()
        if self._thread is not None:
            self._waker.wake()
            self._thread.join()
            self._thread = None
        self._waker.close()

    def _accept_alert(self, alert: AlertPayload) -> None:
        self._outbox.put(self._topics.alert, alert.to_json())
        if alert.state is AlertState.DIGEST:
            return  # tells of alerts that are over or were held back: nothing that is raised now
        with self._lock:
            if alert.state is AlertState.RAISED:
                self._active[alert.id] = alert
            else:
                self._active.pop(alert.id, None)
            raised = tuple(self._active.values())[-MOST_ALERTS:]
            self._tray.put_retained(self._topics.alerts_active, ActiveAlertsPayload(alerts=raised).to_json())

    def _accept_answer(self, name: str, payload: bytes) -> None:
        self._tray.put_answer(self._topics.response(name), payload)
        self._waker.wake()

    def _run(self) -> None:
        wait_s = self._first_s
        while not self._stop.is_set():
            session = uuid.uuid4().hex
            will = Will(self._topics.state, _state(Presence.OFFLINE, session, said=False))
            try:
                connection = Connection(self._endpoint, will=will, waker=self._waker, clock=self._clock)
            except BrokerError as error:
                self._failed(error)
                self._clock.wait(random.uniform(wait_s / 2, wait_s), self._stop)  # noqa: S311 - jitter, not a secret
                wait_s = min(wait_s * 2, self._most_s)
                continue
            wait_s = self._first_s
            self._serve(Delivery(connection, self._outbox), session)

    def _serve(self, delivery: Delivery, session: str) -> None:
        connection = delivery.connection
        try:
            if self._desk is not None:
                connection.subscribe(self._topics.commands)
            connection.publish(self._topics.state, _state(Presence.ONLINE, session), qos=1, retain=True)
            with self._lock:
                self._error = None
                self._connections += 1
            self._tray.open()
            _LOGGER.info("connected to broker %s as %s", self._endpoint, self._endpoint.client_id)
            while not self._stop.is_set():
                self._send(delivery)
                delivery.pump(1.0)
                self._hear(connection)
            self._finish(delivery, session)
        except BrokerError as error:
            connection.abandon()
            if self._stop.is_set():
                _LOGGER.warning("%s while saying goodbye", error)
            else:
                self._failed(error)
        finally:
            self._tray.close()

    def _send(self, delivery: Delivery) -> None:
        """Hand over the alerts that are due, and, once the network takes more, all else that waits."""
        delivery.send_due()
        if not delivery.connection.congested:
            for message in self._tray.take():
                delivery.connection.publish(message.topic, message.payload, qos=message.qos, retain=message.retain)

    def _hear(self, connection: Connection) -> None:
        for message in connection.take_incoming():
            name = self._topics.command_name(message.topic)
            if self._desk is not None and name is not None:
                self._desk.take(name, message.payload, retained=message.retained)

    def _finish(self, delivery: Delivery, session: str) -> None:
        deadline_ns = self._clock.now_ns() + round(_GOODBYE_S * 1e9)

        def pump_until(done: Callable[[], bool]) -> None:
            while not done() and (left_ns := deadline_ns - self._clock.now_ns()) > 0:
                self._send(delivery)
                delivery.pump(left_ns / 1e9)

        self._send(delivery)
        pump_until(lambda: self._outbox.stats().waiting == 0)
        goodbye = _state(Presence.OFFLINE, session)
        offline = delivery.connection.publish(self._topics.state, goodbye, qos=1, retain=True)
        pump_until(lambda: delivery.was_acknowledged(offline))
        delivery.connection.say_goodbye()

    def _failed(self, error: BrokerError) -> None:
        with self._lock:
            known = self._error == str(error)
            self._error = str(error)
        _LOGGER.log(logging.DEBUG if known else logging.WARNING, "%s; trying again", error)


def _state(presence: Presence, session: str, *, said: bool = True) -> bytes:
    return StatePayload(state=presence, session=session, at=utc_now() if said else None).to_json()
