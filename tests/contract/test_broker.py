"""The same promises over every broker: our own and mosquitto."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from paho.mqtt.client import MQTTMessage

from edge.publish.commands import DONE, Command, Ping, Reply, Snooze
from edge.publish.mqtt import MqttPublisher
from edge.publish.outbox import Outbox
from edge.publish.payload import (
    ActiveAlertsPayload,
    AlertPayload,
    HealthPayload,
    LessonPayload,
    Presence,
    StatePayload,
    SummaryPayload,
    parse,
)
from edge.publish.request_payload import ResponsePayload
from edge.publish.topics import Topics
from edge.role import Role
from edge.summary import AlertState, Lesson
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


def obey(command: Command) -> Reply:
    """Do what can be done in a test."""
    return DONE if isinstance(command, Ping | Snooze) else Reply("no lesson runs")


def responses(listener: Listener, name: str, count: int) -> list[ResponsePayload]:
    """Wait for so many responses to a command."""
    return [parse(ResponsePayload, message.payload) for message in listener.wait_for(TOPICS.response(name), count)]


@pytest.fixture
def publisher(broker: Broker, listener: Listener) -> Iterator[MqttPublisher]:
    """A publisher that is connected, whose birth was heard, and that does all it is told but to end a lesson."""
    outbox = Outbox(None)
    sender = MqttPublisher(host="127.0.0.1", port=broker.port, topics=TOPICS, outbox=outbox, on_command=obey)
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


def test_digest_is_an_event_and_never_active(publisher: MqttPublisher, listener: Listener) -> None:
    """A digest arrives as an alert and changes nothing about what is raised."""
    publisher.accept(alert("a", AlertState.RAISED))
    publisher.accept(alert("a", AlertState.DIGEST))
    publisher.accept(alert("b", AlertState.RAISED))
    events = [parse(AlertPayload, m.payload) for m in listener.wait_for(TOPICS.alert, 3)]
    wait_until(lambda: active(listener)[-1] == ["a", "b"])

    assert [event.state for event in events] == [AlertState.RAISED, AlertState.DIGEST, AlertState.RAISED]
    assert active(listener) in ([[], ["a"], ["a", "b"]], [[], ["a", "b"]])


def active(listener: Listener) -> list[list[str]]:
    """Return the ids of each list of active alerts so far."""
    lists = [parse(ActiveAlertsPayload, message.payload) for message in listener.on(TOPICS.alerts_active)]
    return [[one.id for one in each.alerts] for each in lists]


def test_lesson_is_retained(broker: Broker, publisher: MqttPublisher, listener: Listener) -> None:
    """Who subscribes later learns which lesson runs; before the first there is none."""
    lesson = Lesson("l", "Maths", EPOCH, None, group="7b")
    (none,) = listener.wait_for(TOPICS.lesson)
    publisher.accept(lesson)
    listener.wait_for(TOPICS.lesson, 2)
    kept = first_seen(broker, TOPICS.lesson)

    assert parse(LessonPayload, none.payload).lesson is None
    assert kept.retain
    assert parse(LessonPayload, kept.payload) == LessonPayload.of(lesson)


def test_command_is_answered(publisher: MqttPublisher, listener: Listener) -> None:
    """A command is done once and answered with its id, as often as it comes; an error comes as one line."""
    command = json.dumps({"id": "a", "minutes": 5}).encode()
    listener.tell(TOPICS.command("snooze"), command)
    listener.wait_for(TOPICS.response("snooze"))  # a repeat of what is under way would not be answered twice
    listener.tell(TOPICS.command("snooze"), command)
    listener.tell(TOPICS.command("lesson_end"), b'{"id": "b"}')
    snoozed, ended = responses(listener, "snooze", 2), responses(listener, "lesson_end", 1)
    stats = publisher.status().commands
    (first, *_) = listener.on(TOPICS.response("snooze"))

    assert snoozed == [ResponsePayload(id="a", ok=True, error=None)] * 2
    assert ended == [ResponsePayload(id="b", ok=False, error="no lesson runs")]
    assert (stats.done, stats.failed, stats.repeated) == (1, 1, 1)
    assert first.qos == 1
    assert not first.retain


@pytest.mark.parametrize("data", [b"{", b"\xff" * 50, b"x" * 1_000_000, b"[" * 4000], ids=len)
def test_hostile_command_leaves_the_box_working(publisher: MqttPublisher, listener: Listener, data: bytes) -> None:
    """Bytes that are no command are answered with an error, and the next command and summary go through."""
    listener.tell(TOPICS.command("ping"), data)
    listener.tell(TOPICS.command("ping"), b'{"id": "b"}')
    refused, done = responses(listener, "ping", 2)
    publisher.accept(summary(10.0, 0.25))
    listener.wait_for(TOPICS.summary(Role.STUDENTS))

    assert (refused.id, refused.ok) == (None, False)
    assert (done.id, done.ok) == ("b", True)
    assert publisher.status().connections == 1


def test_retained_command_is_not_carried_out_again(broker: Broker, listener: Listener) -> None:
    """A command that the broker kept, from before the box connected, is ignored with each connection."""
    listener.tell(TOPICS.command("ping"), b'{"id": "old"}', retain=True)
    outbox = Outbox(None)
    sender = MqttPublisher(host="127.0.0.1", port=broker.port, topics=TOPICS, outbox=outbox, on_command=obey)
    sender.start()
    wait_until(lambda: sender.status().commands.ignored > 0)
    listener.tell(TOPICS.command("ping"), b'{"id": "new"}')
    answered = responses(listener, "ping", 1)
    stats = sender.status().commands
    sender.close()
    outbox.close()

    assert [answer.id for answer in answered] == ["new"]
    assert stats.done == 1


def test_flood_of_commands_holds_up_no_alert(publisher: MqttPublisher, listener: Listener) -> None:
    """Of hundreds of commands at once a burst is done, few answers tell of the rest, and an alert arrives."""
    for number in range(300):
        listener.tell(TOPICS.command("ping"), json.dumps({"id": str(number)}).encode())
        if number == 150:
            publisher.accept(alert("a"))
    listener.wait_for(TOPICS.alert)
    wait_until(lambda: (s := publisher.status().commands).done + s.refused == 300)
    stats = publisher.status().commands
    answers = responses(listener, "ping", stats.done + 1)

    assert stats.done >= 20
    assert stats.refused > 0
    assert any("too many commands" in str(answer.error) for answer in answers)
    assert publisher.status().connections == 1


def test_box_without_commands_hears_none(broker: Broker, listener: Listener) -> None:
    """A publisher that nobody gave a way to carry out commands answers none."""
    outbox = Outbox(None)
    sender = MqttPublisher(host="127.0.0.1", port=broker.port, topics=TOPICS, outbox=outbox)
    sender.start()
    listener.wait_for(TOPICS.alerts_active)
    listener.tell(TOPICS.command("ping"), b'{"id": "a"}')
    sender.accept(alert("a"))
    listener.wait_for(TOPICS.alert)
    sender.close()
    outbox.close()

    assert listener.on(TOPICS.response("ping")) == []


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
