"""One MQTT connection, from CONNECT to its end, driven by one thread.

paho-mqtt's own loop thread sleeps through a shutdown, backs off without jitter and calls back from elsewhere, so its
"external loop" calls are used instead: whoever owns the connection pumps it.
"""

import logging
import select
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge.clock import Clock
from edge.errors import BrokerError, SettingsError

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, repr=False)
class Endpoint:
    """Where a broker is and how to log in.

    Raises:
        SettingsError: A value can't be right.
    """

    host: str
    port: int
    client_id: str
    username: str | None = None
    password: str | None = None

    tls_ca: Path | None = None
    """Certificates, PEM, of which one must have signed the broker's; ``None`` speaks without TLS."""

    keepalive_s: int = 30
    """Seconds of silence after which the other side is asked whether it is there; twice that and it is gone."""

    timeout_s: float = 5.0
    """Seconds for each of: the network connection, the broker's answer."""

    def __post_init__(self) -> None:
        if not self.host:
            raise SettingsError("must name the broker's host", key="host")
        if not 1 <= self.port <= 65535:  # noqa: PLR2004 - what TCP has
            raise SettingsError(f"must be 1 to 65535, got {self.port}", key="port")
        if self.password is not None and self.username is None:
            raise SettingsError("is given without a username", key="password")
        if self.tls_ca is not None and not self.tls_ca.is_file():
            raise SettingsError(f"{self.tls_ca} is not a file; give the CA's certificate", key="tls_ca")

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says, retained, when the connection ends without a goodbye."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message that somebody sent."""

    topic: str
    payload: bytes

    retained: bool
    """Whether the broker had kept it from some other time."""


class Waker:
    """Wakes a thread that waits in :meth:`Connection.pump`, from any other."""

    def __init__(self) -> None:
        self.receiver, self._sender = socket.socketpair()
        self.receiver.settimeout(0)
        self._sender.settimeout(0)

    def wake(self) -> None:
        """Wake it, or the next wait."""
        try:
            self._sender.send(b"\0")
        except OSError:
            return  # full of earlier wake-ups, which serve as well; or closed, and nobody waits any more

    def drain(self) -> None:
        """Forget all wake-ups so far."""
        try:
            while self.receiver.recv(4096):
                pass
        except BlockingIOError:
            return

    def close(self) -> None:
        """Give the sockets back."""
        self.receiver.close()
        self._sender.close()


class Connection:
    """A connection that the broker has accepted. All methods belong to one thread.

    Args:
        endpoint: The broker.
        will: Its last will.
        waker: What ends a wait early.
        clock: For the broker's time to answer.

    Raises:
        BrokerError: It can't be reached, refused, or didn't answer.
    """

    def __init__(self, endpoint: Endpoint, *, will: Will, waker: Waker, clock: Clock) -> None:
        self._endpoint = endpoint
        self._waker = waker
        self._answer: ReasonCode | None = None
        self._clock = clock
        self._subscribed = False
        self._acknowledged: list[int] = []
        self._incoming: list[Incoming] = []
        self._client = client = Client(
            CallbackAPIVersion.VERSION2, endpoint.client_id, protocol=MQTTv311, reconnect_on_failure=False
        )
        client.connect_timeout = endpoint.timeout_s
        client.on_connect = self._on_connect
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.will_set(will.topic, will.payload, qos=1, retain=True)
        if endpoint.username is not None:
            client.username_pw_set(endpoint.username, endpoint.password)
        try:
            if endpoint.tls_ca is not None:
                client.tls_set_context(_tls(endpoint.tls_ca))
            client.connect(endpoint.host, endpoint.port, endpoint.keepalive_s)
            self._send_at_once()
            self._await_answer()
        except OSError as error:
            self.abandon()
            raise BrokerError(f"broker {endpoint} can't be reached: {error}; is it running?") from error
        except BrokerError:
            self.abandon()
            raise

    @property
    def congested(self) -> bool:
        """Whether the network hasn't taken all that was published."""
        return self._client.want_write()

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> int:
        """Hand a message over; return the number its acknowledgement will carry.

        Raises:
            BrokerError: The connection is gone.
        """
        info = self._client.publish(topic, payload, qos=qos, retain=retain)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise self._lost()
        return info.mid

    def subscribe(self, topic_filter: str) -> None:
        """Ask for what others send, at least once; returns when the broker has answered. A refusal is logged.

        Raises:
            BrokerError: The connection is gone, or the broker didn't answer.
        """
        self._subscribed = False
        result, _ = self._client.subscribe(topic_filter, qos=1)
        if result != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise self._lost()
        for left_s in self._patience():
            self.pump(left_s)
            if self._subscribed:
                return

    def take_incoming(self) -> list[Incoming]:
        """Return what others have sent since the last call, in order."""
        incoming, self._incoming = self._incoming, []
        return incoming

    def pump(self, timeout_s: float) -> list[int]:
        """Move bytes for at most *timeout_s* seconds, less if any came or the waker woke.

        Returns:
            Numbers of the messages that were acknowledged (or, at QoS 0, written).

        Raises:
            BrokerError: The connection is gone.
        """
        stream = self._client.socket()
        if stream is None:
            raise self._lost()
        writers = [stream] if self._client.want_write() else []
        if isinstance(stream, ssl.SSLSocket) and stream.pending():
            timeout_s = 0.0  # bytes that TLS has already taken from the network don't wake a select
        readable, writable, _ = select.select([stream, self._waker.receiver], writers, [], timeout_s)
        if self._waker.receiver in readable:
            self._waker.drain()
        result = MQTTErrorCode.MQTT_ERR_SUCCESS
        if stream in readable or (isinstance(stream, ssl.SSLSocket) and stream.pending()):
            result = self._client.loop_read()
        if result == MQTTErrorCode.MQTT_ERR_SUCCESS and writable:
            result = self._client.loop_write()
        if result == MQTTErrorCode.MQTT_ERR_SUCCESS:
            result = self._client.loop_misc()
        acknowledged, self._acknowledged = self._acknowledged, []
        if result != MQTTErrorCode.MQTT_ERR_SUCCESS and not acknowledged:
            raise self._lost()
        return acknowledged

    def say_goodbye(self) -> None:
        """End it so that the last will is not sent."""
        self._client.disconnect()
        self.abandon()

    def abandon(self) -> None:
        """End it as a cut cable would."""
        stream = self._client.socket()
        if stream is not None:
            stream.close()

    def _send_at_once(self) -> None:
        """Hold back no small message for the other side's acknowledgement of the last one (Nagle, RFC 896): 40 ms."""
        stream = self._client.socket()
        if isinstance(stream, socket.socket):
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _patience(self) -> Iterator[float]:
        """Return the seconds that are left for an answer, again and again.

        Raises:
            BrokerError: None are left.
        """
        deadline_ns = self._clock.now_ns() + round(self._endpoint.timeout_s * 1e9)
        while (left_ns := deadline_ns - self._clock.now_ns()) > 0:
            yield left_ns / 1e9
        raise BrokerError(f"broker {self._endpoint} did not answer in {self._endpoint.timeout_s:g} s")

    def _await_answer(self) -> None:
        patience = self._patience()
        while self._answer is None:
            left_s = next(patience)
            try:
                self.pump(left_s)
            except BrokerError:
                if self._answer is None:
                    raise BrokerError(
                        f"broker {self._endpoint} hung up before it answered; does it speak MQTT 3.1.1 on that port?"
                    ) from None
        if self._answer.is_failure:
            raise BrokerError(
                f"broker {self._endpoint} refused the connection: {self._answer}; check username and password"
            )

    def _lost(self) -> BrokerError:
        return BrokerError(f"connection to broker {self._endpoint} was lost")

    def _on_connect(
        self, _client: Client, _userdata: object, _flags: ConnectFlags, reason: ReasonCode, _p: Properties | None
    ) -> None:
        self._answer = reason

    def _on_publish(
        self, _client: Client, _userdata: object, mid: int, _reason: ReasonCode, _p: Properties | None
    ) -> None:
        self._acknowledged.append(mid)

    def _on_subscribe(
        self, _client: Client, _userdata: object, _mid: int, reasons: list[ReasonCode], _p: Properties | None
    ) -> None:
        self._subscribed = True
        if any(reason.is_failure for reason in reasons):
            _LOGGER.warning(
                "broker %s lets %s hear no commands; check its access list", self._endpoint, self._endpoint.client_id
            )

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return  # no topic that MQTT allows
        self._incoming.append(Incoming(topic, bytes(message.payload), message.retain))


def _tls(ca: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(ca))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
