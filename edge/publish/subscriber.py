"""The other end of the wire: reads a room's messages as a tablet would, checked."""

import logging
import threading
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from edge.errors import BrokerError
from edge.publish.payload import AlertPayload, PayloadError, SummaryPayload, parse
from edge.publish.topics import Topics
from edge.role import Role

_LOG = logging.getLogger(__name__)

_CONNECT_S = 5.0


class Subscriber:
    """Counts summaries and keeps alerts of one room.

    Args:
        host: The broker's name or address.
        port: Its TCP port.
        topics: Of the room.
        client_id: Keeps the subscription at the broker under this name, so that alerts sent while this end is away
            are delivered when it is back; ``None`` forgets them.
    """

    def __init__(self, *, host: str, port: int, topics: Topics, client_id: str | None = None) -> None:
        self._host, self._port, self._topics = host, port, topics
        self._lock, self._ready = threading.Lock(), threading.Event()
        self._summaries, self._refused = 0, 0
        self._alerts: list[AlertPayload] = []
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id or "", clean_session=client_id is None
        )
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._on_message

    @property
    def summaries(self) -> int:
        """Summaries received."""
        with self._lock:
            return self._summaries

    @property
    def alerts(self) -> list[AlertPayload]:
        """Alerts received, in order."""
        with self._lock:
            return list(self._alerts)

    @property
    def refused(self) -> int:
        """Messages that did not say what the contract says."""
        with self._lock:
            return self._refused

    def start(self) -> None:
        """Return once subscribed.

        Raises:
            BrokerError: The broker did not let us in.
        """
        try:
            self._client.connect(self._host, self._port)
        except OSError as error:
            raise BrokerError(f"{self._host}:{self._port}: no broker answers ({error})") from error
        self._client.loop_start()
        if not self._ready.wait(_CONNECT_S):
            self.stop()
            raise BrokerError(f"{self._host}:{self._port}: the broker did not accept a subscription")

    def stop(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()
        # Without the circle through its callbacks the client goes, with its own sockets, as soon as nobody has it.
        self._client.on_connect = self._client.on_subscribe = self._client.on_message = None

    def _on_connect(self, client: paho.Client, _data: object, _flags: object, reason: Any, _more: object) -> None:  # noqa: ANN401 - paho's own
        if not reason.is_failure:
            topics = [self._topics.summary(role) for role in Role] + [self._topics.alert]
            client.subscribe([(topic, 1) for topic in topics])

    def _on_message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        try:
            if message.topic == self._topics.alert:
                alert = parse(AlertPayload, message.payload)
                with self._lock:
                    self._alerts.append(alert)
            else:
                parse(SummaryPayload, message.payload)
                with self._lock:
                    self._summaries += 1
        except PayloadError as error:
            _LOG.warning("%s: %s", message.topic, error)
            with self._lock:
                self._refused += 1
