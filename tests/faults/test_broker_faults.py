"""What a dead, late, deaf or refusing broker does to the box: nothing is lost that was promised."""

import gc
import logging
import socket
import threading
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.clock import SystemClock
from edge.errors import BrokerError, SettingsError
from edge.publish.commands import DONE, Command, Reply
from edge.publish.connection import Connection, Endpoint, Waker, Will
from edge.publish.embedded_broker import EmbeddedBroker, Login
from edge.publish.mqtt import MqttPublisher
from edge.publish.outbox import Outbox
from edge.publish.payload import ActiveAlertsPayload, AlertPayload, parse
from edge.publish.topics import Topics
from tests.brokers import PATIENCE_S, Listener, Mosquitto, embedded, free_port, wait_until
from tests.builders import summary
from tests.outgoing import alert

TOPICS = Topics(site="school", room="12")


class GatedClock(SystemClock):
    """A clock whose waits end when the gate is opened, or on *stop*."""

    def __init__(self) -> None:
        self.gate = threading.Event()

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """Wait for the gate, whatever the *seconds*."""
        assert seconds >= 0
        while not self.gate.wait(0.01):
            if stop.is_set():
                return True
        return stop.is_set()


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    """An outbox on disk."""
    box = Outbox(tmp_path / "outbox.db")
    yield box
    box.close()


def names(listeners: list[Listener]) -> list[str]:
    """Return the ids of the alerts that arrived, in order, repeats left out."""
    messages = [message for listener in listeners for message in listener.on(TOPICS.alert)]
    return list(dict.fromkeys(parse(AlertPayload, message.payload).id for message in messages))


def test_broker_that_comes_late(outbox: Outbox, caplog: pytest.LogCaptureFixture) -> None:
    """Alerts made before the broker was up arrive in order once it is; summaries are dropped and counted."""
    port, clock = free_port(), GatedClock()
    sender = MqttPublisher(host="127.0.0.1", port=port, topics=TOPICS, outbox=outbox, clock=clock)
    sender.start()
    expected = [str(number) for number in range(40)]
    for name in expected:
        sender.accept(alert(name))
    sender.accept(summary(2.0, 0.1))
    wait_until(lambda: sender.status().error is not None)
    before = sender.status()
    broker = EmbeddedBroker(port=port, websocket_port=0)
    broker.start()
    listener = Listener(port)
    clock.gate.set()
    listener.wait_for(TOPICS.alert, 40)
    active = parse(ActiveAlertsPayload, listener.wait_for(TOPICS.alerts_active)[-1].payload)
    wait_until(lambda: sender.status().outbox.waiting == 0)
    after = sender.status()
    sender.close()
    listener.close()
    broker.stop()

    assert not before.connected
    assert "can't be reached" in str(before.error)
    assert (after.connected, after.error, after.dropped) == (True, None, 1)
    assert names([listener]) == expected
    assert len(listener.on(TOPICS.alert)) == len(expected), "no repeats without a broken connection"
    assert [raised.id for raised in active.alerts] == expected
    assert len([r for r in caplog.records if r.levelno == logging.WARNING and r.name.startswith("edge")]) == 1


@pytest.mark.broker
def test_broker_killed_and_restarted_loses_no_alert(outbox: Outbox, tmp_path: Path) -> None:
    """Alerts before, during and after a broker's violent death all arrive, in order."""
    broker, clock = Mosquitto(tmp_path), GatedClock()
    broker.start()
    listeners = [Listener(broker.port)]
    sender = MqttPublisher(host="127.0.0.1", port=broker.port, topics=TOPICS, outbox=outbox, clock=clock)
    sender.start()
    expected = [str(number) for number in range(120)]
    for name in expected[:60]:
        sender.accept(alert(name))
    listeners[0].wait_for(TOPICS.alert, 20)
    broker.kill()
    for name in expected[60:100]:
        sender.accept(alert(name))
    wait_until(lambda: not sender.status().connected)
    broker.start()
    listeners.append(Listener(broker.port))
    clock.gate.set()
    for name in expected[100:]:
        sender.accept(alert(name))
    wait_until(lambda: sender.status().outbox.waiting == 0)
    wait_until(lambda: len(names(listeners)) == len(expected))
    connections = sender.status().connections
    sender.close()
    for listener in listeners:
        listener.close()
    broker.stop()

    assert names(listeners) == expected
    assert connections == 2


@pytest.mark.broker
def test_commands_are_heard_after_the_broker_came_back(outbox: Outbox, tmp_path: Path) -> None:
    """A box hears commands on each connection; one that comes again after that is answered and not done again."""
    broker, clock, done = Mosquitto(tmp_path), GatedClock(), list[Command]()
    broker.start()

    def obey(command: Command) -> Reply:
        done.append(command)
        return DONE

    sender = MqttPublisher(
        host="127.0.0.1", port=broker.port, topics=TOPICS, outbox=outbox, clock=clock, on_command=obey
    )
    sender.start()
    first = Listener(broker.port)
    wait_until(lambda: sender.status().connected)
    first.tell(TOPICS.command("ping"), b'{"id": "a"}')
    first.wait_for(TOPICS.response("ping"))
    broker.kill()
    first.close()
    wait_until(lambda: not sender.status().connected)
    broker.start()
    second = Listener(broker.port)
    clock.gate.set()
    second.wait_for(TOPICS.state)
    wait_until(lambda: sender.status().connected)
    second.tell(TOPICS.command("ping"), b'{"id": "a"}')
    second.wait_for(TOPICS.response("ping"))
    second.tell(TOPICS.command("ping"), b'{"id": "b"}')
    second.wait_for(TOPICS.response("ping"), 2)
    stats = sender.status().commands
    sender.close()
    second.close()
    broker.stop()

    assert len(done) == 2
    assert (stats.done, stats.repeated) == (2, 1)


def test_slow_command_holds_up_nothing(outbox: Outbox) -> None:
    """While a command is carried out alerts go on, and closing waits for it and answers it."""
    broker, begun, go_on = embedded(), threading.Event(), threading.Event()
    broker.start()

    def slowly(_: Command) -> Reply:
        begun.set()
        go_on.wait(PATIENCE_S)
        return DONE

    listener = Listener(broker.port)
    sender = MqttPublisher(host="127.0.0.1", port=broker.port, topics=TOPICS, outbox=outbox, on_command=slowly)
    sender.start()
    listener.wait_for(TOPICS.alerts_active)
    listener.tell(TOPICS.command("ping"), b'{"id": "a"}')
    assert begun.wait(PATIENCE_S)
    sender.accept(alert("a"))
    listener.wait_for(TOPICS.alert)
    answered_before = len(listener.on(TOPICS.response("ping")))
    closing = threading.Thread(target=sender.close)
    closing.start()
    go_on.set()
    closing.join()
    (answer,) = listener.wait_for(TOPICS.response("ping"))
    listener.wait_for(TOPICS.state, 2)
    listener.close()
    broker.stop()

    assert answered_before == 0
    assert b'"ok":true' in answer.payload


def test_broker_that_lets_no_commands_through_is_named(caplog: pytest.LogCaptureFixture) -> None:
    """Where the broker refuses the box's subscription it says so, once, and the connection holds."""
    waker, accepted, subscribe_refused = Waker(), b"\x20\x02\x00\x00", b"\x90\x03\x00\x01\x80"
    with socket.create_server(("127.0.0.1", 0)) as strict:
        strict.settimeout(5.0)
        visitors = list[socket.socket]()

        def refuse() -> None:
            visitor = strict.accept()[0]
            visitors.append(visitor)
            for answer in (accepted, subscribe_refused):
                visitor.recv(4096)
                visitor.sendall(answer)

        refusing = threading.Thread(target=refuse)
        refusing.start()
        endpoint = Endpoint("127.0.0.1", strict.getsockname()[1], "box")
        connection = Connection(endpoint, will=Will("t", b""), waker=waker, clock=SystemClock())
        connection.subscribe("edge/school/12/command/+")
        refusing.join()
        connection.abandon()
        visitors[0].close()
    waker.close()

    assert "lets box hear no commands; check its access list" in caplog.text


def test_alerts_survive_the_box_itself(tmp_path: Path) -> None:
    """Alerts that a box could not send before it was switched off are sent after it is switched on."""
    path, port = tmp_path / "outbox.db", free_port()
    first = Outbox(path)
    sender = MqttPublisher(host="127.0.0.1", port=port, topics=TOPICS, outbox=first)
    sender.start()
    for name in "abc":
        sender.accept(alert(name))
    sender.close()
    first.close()
    broker, second = EmbeddedBroker(port=port, websocket_port=0), Outbox(path)
    broker.start()
    listener = Listener(port)
    sender = MqttPublisher(host="127.0.0.1", port=port, topics=TOPICS, outbox=second)
    sender.start()
    listener.wait_for(TOPICS.alert, 3)
    active = parse(ActiveAlertsPayload, listener.wait_for(TOPICS.alerts_active)[0].payload)
    sender.close()
    second.close()
    listener.close()
    broker.stop()

    assert names([listener]) == ["a", "b", "c"]
    assert active.alerts == ()


def test_refused_login_is_not_connected(outbox: Outbox, caplog: pytest.LogCaptureFixture) -> None:
    """A wrong password is said once, never counted as connected, and the alert waits for the right one."""
    broker = EmbeddedBroker(port=0, websocket_port=0, login=Login("box", "right"))
    broker.start()
    sender = MqttPublisher(
        host="127.0.0.1",
        port=broker.port,
        topics=TOPICS,
        outbox=outbox,
        username="box",
        password="wrong",  # noqa: S106 - that is the point
        backoff_s=(0.01, 0.01),
    )
    sender.start()
    sender.accept(alert())
    refusals = [0]

    def refused_three_times() -> bool:
        refusals[0] = len([r for r in caplog.records if "refused the connection" in r.getMessage()])
        return refusals[0] >= 3

    with caplog.at_level(logging.DEBUG, logger="edge"):
        wait_until(refused_three_times)
    wrong = sender.status()
    sender.close()
    right = MqttPublisher(
        host="127.0.0.1",
        port=broker.port,
        topics=TOPICS,
        outbox=outbox,
        username="box",
        password="right",  # noqa: S106 - a password of this test
    )
    right.start()
    wait_until(lambda: right.status().outbox.waiting == 0)
    connected = right.status().connected
    right.close()
    broker.stop()

    assert (wrong.connected, wrong.connections, wrong.outbox.waiting) == (False, 0, 1)
    assert "refused the connection" in str(wrong.error)
    assert len([r for r in caplog.records if r.levelno == logging.WARNING and r.name.startswith("edge")]) == 1
    assert connected


def test_port_that_does_not_answer(outbox: Outbox) -> None:
    """Something that accepts and stays silent, or hangs up, is an error of one line."""
    waker, will = Waker(), Will("t", b"")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = Endpoint("127.0.0.1", silent.getsockname()[1], "c", timeout_s=0.05)
        with pytest.raises(BrokerError, match="did not answer"):
            Connection(endpoint, will=will, waker=waker, clock=SystemClock())
    with socket.create_server(("127.0.0.1", 0)) as rude:
        rude.settimeout(5.0)

        def hang_up() -> None:
            rude.accept()[0].close()

        hanging_up = threading.Thread(target=hang_up)
        hanging_up.start()
        endpoint = Endpoint("127.0.0.1", rude.getsockname()[1], "c", timeout_s=5.0)
        with pytest.raises(BrokerError, match="hung up"):
            Connection(endpoint, will=will, waker=waker, clock=SystemClock())
        hanging_up.join()
    waker.close()
    assert outbox.stats().waiting == 0


def test_broker_that_answers_no_subscription() -> None:
    """A broker that lets the box in and then says nothing to its subscription is an error of one line."""
    waker = Waker()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(5.0)

        def let_in() -> None:
            visitor = silent.accept()[0]
            visitor.recv(4096)
            visitor.sendall(b"\x20\x02\x00\x00")
            visitor.recv(4096)
            visitor.recv(4096)  # until it leaves
            visitor.close()

        letting_in = threading.Thread(target=let_in)
        letting_in.start()
        endpoint = Endpoint("127.0.0.1", silent.getsockname()[1], "c", timeout_s=0.3)
        connection = Connection(endpoint, will=Will("t", b""), waker=waker, clock=SystemClock())
        with pytest.raises(BrokerError, match="did not answer"):
            connection.subscribe("edge/school/12/command/+")
        connection.abandon()
        letting_in.join()
    waker.close()


def test_close_does_not_wait_for_a_dead_broker(outbox: Outbox) -> None:
    """A publisher between two tries ends at once, though its next try is hours away."""
    sender = MqttPublisher(
        host="127.0.0.1", port=free_port(), topics=TOPICS, outbox=outbox, backoff_s=(10_000.0, 10_000.0)
    )
    sender.start()
    wait_until(lambda: sender.status().error is not None)
    sender.close()

    assert not sender.status().connected


def test_embedded_broker_takes_no_foreign_port() -> None:
    """A port in use is an error of one line that names it, and nothing is left running."""
    first = embedded()
    first.start()
    second = EmbeddedBroker(port=first.port, websocket_port=0)
    with pytest.raises(BrokerError, match=rf"{first.port}.*in use.*another port"):
        second.start()
    first.stop()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::", "school.example"])  # noqa: S104 - it must refuse
def test_embedded_broker_is_never_open_to_the_network(host: str) -> None:
    """Beyond the loopback it refuses to be made without a login."""
    with pytest.raises(SettingsError, match="would let everyone in"):
        EmbeddedBroker(host=host)


def test_embedded_broker_leaves_no_socket_open() -> None:
    """Visitors that vanish while it ends leave nothing behind (an unclosed socket would warn, which is an error)."""
    broker, waker = embedded(), Waker()
    broker.start()
    endpoint, will = Endpoint(broker.host, broker.port, "c"), Will("t", b"w")
    visitors = [
        Connection(replace(endpoint, client_id=f"c{number}"), will=will, waker=waker, clock=SystemClock())
        for number in range(8)
    ]
    with socket.create_connection((broker.host, broker.port)):
        for visitor in visitors[:4]:
            visitor.abandon()
        broker.stop()
    for visitor in visitors[4:]:
        visitor.abandon()
    waker.close()
    del visitors
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        gc.collect()

    assert [str(warning.message) for warning in caught] == []


def test_embedded_broker_starts_again() -> None:
    """It can be stopped and started on the ports it took, and stopping twice is harmless."""
    broker = embedded()
    broker.start()
    port = broker.port
    broker.stop()
    broker.stop()
    broker.start()
    listener = Listener(port)
    listener.close()
    broker.stop()

    assert broker.port == port
