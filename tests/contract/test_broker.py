"""The same promises over every broker: our own and mosquitto."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from paho.mqtt.client import MQTTMessage

from edge.publish.mqtt import MqttPublisher
from edge.publish.outbox import Outbox
from edge.publish.payload import (
    ActiveAlertsPayload,
    AlertPayload,
    HealthPayload,
    Presence,
    StatePayload,
    SummaryPayload,
    parse,
)
from edge.publish.topics import Topics
from edge.role import Role
from edge.summary import AlertState
from tests.brokers import Broker, Listener, Mosquitto, embedded, wait_until
from tests.builders import EPOCH, summary
from tests.outgoing import alert, health

ROOT = Path(__file__).resolve().parents[2]
TOPICS = Topics(site="school", room="12")


@pytest.fixture(params=["embedded", pytest.param("mosquitto", marks=pytest.mark.broker)])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """A broker that listens."""
    one: Broker = embedded() if request.param == "embedded" else Mosquitto(tmp_path)
    one.start()
    yield one
    one.stop()


@pytest.fixture
def listener(broker: Broker) -> Iterator[Listener]:
    """Someone who reads all."""
    reader = Listener(broker.port)
    yield reader
    reader.close()


@pytest.fixture
def publisher(broker: Broker, listener: Listener) -> Iterator[MqttPublisher]:
    """A publisher that is connected, and whose birth was heard."""
    outbox = Outbox(None)
    sender = MqttPublisher(host="127.0.0.1", port=broker.port, topics=TOPICS, outbox=outbox)
    sender.start()
    listener.wait_for(TOPICS.alerts_active)
    yield sender
    sender.close()
    outbox.close()


def first_seen(broker: Broker, topic: str) -> MQTTMessage:
    """Return the first message that somebody sees who comes now."""
    with closing(Listener(broker.port)) as late:
        return late.wait_for(topic)[0]


def test_summaries_and_health_arrive(publisher: MqttPublisher, listener: Listener) -> None:
    """What the pipeline says of each role and of itself is read on its own topic as it was said."""
    publisher.accept(summary(10.0, 0.25))
    publisher.accept(summary(10.0, None, role=Role.TEACHER))
    publisher.accept(health())
    (students,) = listener.wait_for("edge/school/12/summary/students")
    (teacher,) = listener.wait_for("edge/school/12/summary/teacher")
    (own,) = listener.wait_for("edge/school/12/health")

    assert parse(SummaryPayload, students.payload) == SummaryPayload.of(summary(10.0, 0.25))
    assert parse(SummaryPayload, teacher.payload).fused.negative_share is None
    assert parse(HealthPayload, own.payload).at == EPOCH
    assert not students.retain


def test_state_is_retained(broker: Broker, publisher: MqttPublisher) -> None:
    """Who subscribes later learns at once that the box is there."""
    assert publisher.status().connected
    message = first_seen(broker, TOPICS.state)

    assert message.retain
    assert parse(StatePayload, message.payload).state is Presence.ONLINE


def test_clean_end_says_offline(broker: Broker, publisher: MqttPublisher, listener: Listener) -> None:
    """A box that is switched off says so itself, retained, with the time and the session it ends."""
    publisher.close()
    online, offline = (parse(StatePayload, m.payload) for m in listener.wait_for(TOPICS.state, 2))
    kept = first_seen(broker, TOPICS.state)

    assert offline.state is Presence.OFFLINE
    assert offline.at is not None
    assert offline.session == online.session
    assert parse(StatePayload, kept.payload) == offline


def test_killed_box_is_reported_offline(broker: Broker, listener: Listener) -> None:
    """The last will of a process that was killed says offline for its session."""
    program = (
        "import sys, threading; from edge.publish.mqtt import *; from edge.publish.outbox import Outbox;"
        "MqttPublisher(host='127.0.0.1', port=int(sys.argv[1]), topics=Topics('school', '12'),"
        " outbox=Outbox(None)).start(); threading.Event().wait()"
    )
    process = subprocess.Popen([sys.executable, "-c", program, str(broker.port)], cwd=ROOT)
    try:
        listener.wait_for(TOPICS.state)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    online, will = (parse(StatePayload, m.payload) for m in listener.wait_for(TOPICS.state, 2))

    assert (will.state, will.session, will.at) == (Presence.OFFLINE, online.session, None)


def test_alert_is_acknowledged_and_kept_while_raised(
    broker: Broker, publisher: MqttPublisher, listener: Listener
) -> None:
    """An alert arrives with QoS 1, leaves the outbox, and is on the retained list until it is cleared."""
    raised, cleared = alert("a", AlertState.RAISED), alert("a", AlertState.CLEARED)
    publisher.accept(raised)
    (event,) = listener.wait_for(TOPICS.alert)
    listener.wait_for(TOPICS.alerts_active, 2)
    kept = first_seen(broker, TOPICS.alerts_active)
    publisher.accept(cleared)
    lists = [parse(ActiveAlertsPayload, m.payload).alerts for m in listener.wait_for(TOPICS.alerts_active, 3)]
    wait_until(lambda: publisher.status().outbox.waiting == 0)

    assert event.qos == 1
    assert not event.retain
    assert parse(AlertPayload, event.payload) == AlertPayload.of(raised)
    assert parse(ActiveAlertsPayload, kept.payload).alerts == (AlertPayload.of(raised),)
    assert [len(one) for one in lists] == [0, 1, 0]


def test_restarted_box_takes_over(broker: Broker, publisher: MqttPublisher, listener: Listener) -> None:
    """After a second start under the same name the retained state is online, of the new session."""
    outbox = Outbox(None)
    second = MqttPublisher(host="127.0.0.1", port=broker.port, topics=TOPICS, outbox=outbox, backoff_s=(1000.0, 1000.0))
    publisher.close()
    second.start()
    wait_until(lambda: second.status().connected)
    first_session = parse(StatePayload, listener.wait_for(TOPICS.state, 3)[0].payload).session
    kept = first_seen(broker, TOPICS.state)
    second.close()
    outbox.close()

    assert parse(StatePayload, kept.payload).state is Presence.ONLINE
    assert parse(StatePayload, kept.payload).session != first_session


@pytest.mark.broker
def test_shipped_mosquitto_configuration_keeps_rooms_apart(tmp_path: Path) -> None:
    """With our mosquitto files a tablet reads its own room only, and anonymous visitors are refused."""
    deploy = ROOT / "deploy" / "mosquitto"
    passwords = tmp_path / "passwd"
    passwords.touch(mode=0o600)
    for name in ("box-room-12", "tablet-room-12", "tablet-room-13"):
        subprocess.run(["mosquitto_passwd", "-b", str(passwords), name, "secret"], check=True, capture_output=True)
    settings = (deploy / "classroom-edge.conf").read_text()
    for theirs, ours in (
        ("/etc/mosquitto/classroom-edge.passwd", str(passwords)),
        ("/etc/mosquitto/classroom-edge.acl", str(deploy / "classroom-edge.acl")),
        ("/var/lib/mosquitto/", f"{tmp_path}/"),
        ("listener 1883 127.0.0.1", ""),
    ):
        assert theirs in settings
        settings = settings.replace(theirs, ours)
    broker, outbox = Mosquitto(tmp_path, settings), Outbox(None)
    broker.start()
    own = Listener(broker.port, login=("tablet-room-12", "secret"))
    other = Listener(broker.port, login=("tablet-room-13", "secret"))
    topics = Topics(site="our-school", room="room-12")
    box = MqttPublisher(
        host="127.0.0.1",
        port=broker.port,
        topics=topics,
        outbox=outbox,
        username="box-room-12",
        password="secret",  # noqa: S106 - a password of this test
    )
    stranger = MqttPublisher(
        host="127.0.0.1", port=broker.port, topics=topics, outbox=outbox, client_id="x", backoff_s=(1000.0, 1000.0)
    )
    box.start()
    stranger.start()
    own.wait_for(topics.state)
    wait_until(lambda: stranger.status().error is not None)
    refused = stranger.status()
    for one in (own, other, stranger, box, outbox):
        one.close()
    broker.stop()

    assert other.messages == []
    assert not refused.connected
    assert "refused" in str(refused.error)
