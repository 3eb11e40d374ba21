"""Real brokers on free loopback ports, and a subscriber, for tests."""

import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from edge.publish.embedded_broker import EmbeddedBroker

PATIENCE_S = 15.0
"""Longest wait for anything; a test that works waits milliseconds."""


class Broker(Protocol):
    """What a test needs of a broker."""

    @property
    def port(self) -> int:
        """Its TCP port, the same after a restart."""
        ...

    def start(self) -> None:
        """Return once it listens."""
        ...

    def stop(self) -> None:
        """End it; callable any number of times."""
        ...


class Mosquitto:
    """The mosquitto of this machine.

    Args:
        folder: Where its configuration is written.
        settings: Further lines of its configuration.
    """

    def __init__(self, folder: Path, settings: str = "allow_anonymous true") -> None:
        program = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
        if program is None:
            pytest.skip("mosquitto is not installed (apt install mosquitto)")
        self._program = program
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        self._config.write_text(f"listener {self.port} 127.0.0.1\nuser root\nlog_dest none\n{settings}\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return once it listens."""
        self._process = process = subprocess.Popen(
            [self._program, "-c", str(self._config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

        def listens() -> bool:
            assert process.poll() is None, "mosquitto ended"
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0

        wait_until(listens)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it; callable any number of times."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE_S)
            self._process = None


def embedded() -> EmbeddedBroker:
    """Return our own broker, on free ports."""
    return EmbeddedBroker(port=0, websocket_port=0)


class Listener:
    """Keeps every message of a topic filter, until closed."""

    def __init__(self, port: int, topic: str = "edge/#", *, login: tuple[str, str] | None = None) -> None:
        self._changed = threading.Condition()
        self._subscribed = False
        self.messages: list[MQTTMessage] = []
        self._client = Client(CallbackAPIVersion.VERSION2)
        if login is not None:
            self._client.username_pw_set(*login)
        self._client.on_connect = lambda client, *_: client.subscribe(topic, qos=1)
        self._client.on_subscribe = lambda *_: self._change(None)
        self._client.on_message = lambda _client, _userdata, message: self._change(message)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        with self._changed:
            assert self._changed.wait_for(lambda: self._subscribed, PATIENCE_S)

    def on(self, topic: str) -> list[MQTTMessage]:
        """Return the messages of one topic so far, in order."""
        return [message for message in list(self.messages) if message.topic == topic]

    def wait_for(self, topic: str, count: int = 1) -> list[MQTTMessage]:
        """Wait for *count* messages of a topic, and return all of it so far."""
        with self._changed:
            arrived = self._changed.wait_for(lambda: len(self.on(topic)) >= count, PATIENCE_S)
        assert arrived, f"{len(self.on(topic))} of {count} messages on {topic}"
        return self.on(topic)

    def tell(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Send a message; the broker has it when this returns."""
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(PATIENCE_S)

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()

    def _change(self, message: MQTTMessage | None) -> None:
        with self._changed:
            if message is None:
                self._subscribed = True
            else:
                self.messages.append(message)
            self._changed.notify_all()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until it holds; fail when it never does."""
    pause = threading.Event()
    for _ in range(round(PATIENCE_S / 0.01)):
        if condition():
            return
        pause.wait(0.01)
    pytest.fail("waited in vain")
