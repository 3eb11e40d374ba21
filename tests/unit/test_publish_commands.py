"""What strangers may tell the box, and how often."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import SettingsError
from edge.publish.bucket import TokenBucket
from edge.publish.commands import (
    DONE,
    Acknowledge,
    BeginLesson,
    Command,
    EndLesson,
    GiveFeedback,
    Mark,
    PauseSensing,
    Ping,
    Reply,
    ResumeSensing,
    SetRule,
    Snooze,
)
from edge.publish.desk import BURST, MEMORY_S, RATE_PER_S, CommandDesk, CommandStats
from edge.publish.request_payload import COMMANDS, LARGEST_COMMAND, ResponsePayload, read_request, read_transaction
from edge.publish.wire import PayloadError, parse
from edge.summary import Verdict
from edge.testing import HandClock
from tests.brokers import PATIENCE_S, wait_until
from tests.strategies import few

HOSTILE = [
    b"",
    b"hello",
    b"\xff\xfe\x00",
    b"null",
    b"[]",
    b'"id"',
    b"{}",
    b'{"id": null}',
    b'{"id": 7}',
    b'{"id": ""}',
    b'{"id": "a\\nb"}',
    b'{"id": "' + b"x" * 65 + b'"}',
    b'{"id": "a", "schema_version": 2}',
    b'{"id": "a", "id',
    b'{"id": "a", "x": ' + b"[" * 3000 + b"]" * 1000,
    b'{"id": ' * 500,
    b'{"id": "a", "x": "' + b"y" * LARGEST_COMMAND + b'"}',
    b" " * 1_000_000,
]


def written(**fields: object) -> bytes:
    """Return a command's JSON."""
    return json.dumps({"id": "a"} | fields).encode()


@pytest.mark.parametrize(
    ("name", "fields", "command"),
    [
        ("lesson_start", {}, BeginLesson()),
        ("lesson_start", {"title": "Maths", "group": "7b", "kind": "x"}, BeginLesson("Maths", "7b", "x")),
        ("lesson_end", {}, EndLesson()),
        ("snooze", {"minutes": 10}, Snooze(10.0)),
        ("snooze", {"minutes": 120.0, "rule": "calm"}, Snooze(120.0, "calm")),
        ("acknowledge", {"alert": "x"}, Acknowledge("x")),
        ("feedback", {"alert": "x", "verdict": "wrong"}, GiveFeedback("x", Verdict.WRONG)),
        ("feedback", {"alert": "x", "verdict": "seen"}, GiveFeedback("x", Verdict.SEEN)),
        ("mark", {"kind": "quiz", "text": "the first"}, Mark("quiz", "the first")),
        ("pause", {}, PauseSensing()),
        ("pause", {"minutes": 15}, PauseSensing(15.0)),
        ("resume", {}, ResumeSensing()),
        ("set_rule", {"name": "calm", "hold_s": 20}, SetRule("calm", hold_s=20.0)),
        ("set_rule", {"name": "calm", "raise_at": -2, "clear_at": -1.5}, SetRule("calm", -2.0, -1.5)),
        ("ping", {"unknown": [1, 2, {"x": 3}]}, Ping()),
    ],
    ids=str,
)
def test_commands_are_read(name: str, fields: dict[str, Any], command: Command) -> None:
    """Each command is read as what is to be done, fields that nobody knows are skipped."""
    request = read_request(name, written(**fields))

    assert (request.transaction, request.command) == ("a", command)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("lesson_start", {"title": "x" * 101}),
        ("lesson_start", {"title": "a\nb"}),
        ("lesson_start", {"title": ["Maths"]}),
        ("snooze", {}),
        ("snooze", {"minutes": 0}),
        ("snooze", {"minutes": 121}),
        ("snooze", {"minutes": "10"}),
        ("snooze", {"minutes": True}),
        ("snooze", {"minutes": 10, "rule": ""}),
        ("acknowledge", {}),
        ("acknowledge", {"alert": "x" * 65}),
        ("feedback", {"alert": "x", "verdict": "snoozed"}),
        ("feedback", {"alert": "x", "verdict": "right"}),
        ("mark", {"text": "x"}),
        ("mark", {"kind": "x", "text": "y" * 201}),
        ("pause", {"minutes": 241}),
        ("set_rule", {"name": "calm"}),
        ("set_rule", {"raise_at": 0.5}),
        ("set_rule", {"name": "calm", "raise_at": 1e9}),
        ("set_rule", {"name": "calm", "hold_s": -1}),
        ("reboot", {}),
    ],
    ids=str,
)
def test_wrong_commands_are_refused(name: str, fields: dict[str, Any]) -> None:
    """What can't be done is refused in one line that doesn't repeat what was sent; its id can still be answered."""
    with pytest.raises(PayloadError) as caught:
        read_request(name, written(**fields))

    assert "\n" not in str(caught.value)
    assert read_transaction(written(**fields)) == "a"


@pytest.mark.parametrize("data", HOSTILE, ids=lambda data: str(data[:24]))
def test_hostile_bytes_are_no_command(data: bytes) -> None:
    """Whatever comes is an error of one short line, for every command."""
    for name in COMMANDS:
        with pytest.raises(PayloadError) as caught:
            read_request(name, data)

        assert len(str(caught.value)) < 400


@few
@given(st.sampled_from(sorted(COMMANDS)), st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_any_json_is_a_command_or_refused(name: str, value: object) -> None:
    """No value in any field leads to anything but a command or a refusal."""
    for field in COMMANDS[name].model_fields:
        try:
            request = read_request(name, written(**{field: value}))
        except PayloadError:
            continue
        assert len(request.transaction) <= 64


class Room:
    """A desk with its answers and what it carried out."""

    def __init__(self, does: Callable[[Command], Reply]) -> None:
        self.clock, self.answers, self.done = HandClock(), list[tuple[str, ResponsePayload]](), list[Command]()
        self._does = does
        self.desk = CommandDesk(on_command=self._do, answer=self._answer, clock=self.clock)
        self.desk.start()

    def tell(self, name: str = "ping", data: bytes | None = None, *, transaction: str = "a") -> None:
        """Hand in a command."""
        self.desk.take(name, json.dumps({"id": transaction}).encode() if data is None else data, retained=False)

    def heard(self, count: int) -> list[ResponsePayload]:
        """Wait for so many answers and return them."""
        wait_until(lambda: len(self.answers) >= count)
        return [answer for _, answer in self.answers]

    def _do(self, command: Command) -> Reply:
        self.done.append(command)
        return self._does(command)

    def _answer(self, name: str, payload: bytes) -> None:
        self.answers.append((name, parse(ResponsePayload, payload)))


MakeRoom = Callable[[Callable[[Command], Reply]], Room]


@pytest.fixture
def make_room() -> Iterator[MakeRoom]:
    """Makes rooms, and closes them."""
    with ExitStack() as rooms:

        def make(does: Callable[[Command], Reply]) -> Room:
            one = Room(does)
            rooms.callback(one.desk.close)
            return one

        yield make


@pytest.fixture
def room(make_room: MakeRoom) -> Room:
    """A room that does all it is told."""
    return make_room(lambda _: DONE)


def test_command_is_done_and_answered(room: Room) -> None:
    """A command is carried out, and answered with its id under its name."""
    room.tell("snooze", written(minutes=5))
    room.heard(1)

    assert room.done == [Snooze(5.0)]
    assert room.answers == [("snooze", ResponsePayload(id="a", ok=True, error=None))]
    assert room.desk.stats() == CommandStats(done=1)


def test_repeat_is_answered_and_not_done_again(room: Room) -> None:
    """A command that comes again is answered from memory for five minutes, and is another one after that."""
    room.tell()
    room.heard(1)
    room.clock.advance(MEMORY_S - 1)
    room.tell()
    repeated = room.heard(2)
    room.clock.advance(2)
    room.tell()
    room.heard(3)

    assert repeated[0] == repeated[1]
    assert len(room.done) == 2
    assert room.desk.stats() == CommandStats(done=2, repeated=1)


def test_id_belongs_to_one_command(room: Room) -> None:
    """Another command with an id that was used is refused, not taken for a repeat; each topic has its own ids."""
    room.tell("snooze", written(minutes=5))
    room.tell("ping")
    room.heard(2)
    room.tell("snooze", written(minutes=6))
    refusal = room.heard(3)[-1]

    assert room.done == [Snooze(5.0), Ping()]
    assert "id was used" in str(refusal.error)


def test_repeat_of_what_is_under_way_is_answered_once(make_room: MakeRoom) -> None:
    """A command that comes again while it is carried out is neither done nor answered twice."""
    begun, go_on = threading.Event(), threading.Event()

    def slowly(_: Command) -> Reply:
        begun.set()
        go_on.wait(PATIENCE_S)
        return DONE

    room = make_room(slowly)
    room.tell()
    assert begun.wait(PATIENCE_S)
    room.tell()
    go_on.set()
    room.heard(1)
    room.desk.close()

    assert (len(room.done), len(room.answers)) == (1, 1)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (SettingsError("no such rule"), "no such rule"),
        (RuntimeError("secret detail"), "failed inside the box; its log says why"),
    ],
)
def test_fault_is_an_answer(
    make_room: MakeRoom, fault: Exception, error: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An error while it is carried out is the answer in one line, and the next command is served; bugs are logged."""

    def fail(command: Command) -> Reply:
        if isinstance(command, EndLesson):
            raise fault
        return DONE

    room = make_room(fail)
    room.tell("lesson_end")
    room.tell("ping")
    first, second = room.heard(2)
    room.desk.close()

    assert (first.ok, first.error) == (False, error)
    assert second.ok
    assert ("Traceback" in caplog.text) is isinstance(fault, RuntimeError)
    assert room.desk.stats() == CommandStats(done=1, failed=1)


def test_long_error_is_cut_to_one_line(make_room: MakeRoom) -> None:
    """A reply of many lines arrives as one, of bounded length."""
    room = make_room(lambda _: Reply("a\nb " * 1000))
    room.tell()
    (answer,) = room.heard(1)
    room.desk.close()

    assert len(str(answer.error)) == 1000
    assert "\n" not in str(answer.error)


def test_flood_is_answered_once(room: Room) -> None:
    """A burst is taken, the rest is refused with one answer and counted; then so many a second are taken."""
    for number in range(BURST + 100):
        room.tell(transaction=str(number))
    room.heard(BURST + 1)
    room.clock.advance(1.0)
    for number in range(1000, 1010):
        room.tell(transaction=str(number))
    answers = room.heard(BURST + 2 + round(RATE_PER_S))
    refusals = [answer for answer in answers if not answer.ok]

    assert len(room.done) == BURST + RATE_PER_S
    assert [answer.id for answer in refusals] == [str(BURST), str(1000 + round(RATE_PER_S))]
    assert "too many commands" in str(refusals[0].error)
    assert room.desk.stats().refused == 100 + 5


def test_flood_of_one_topic_leaves_others_alone(room: Room) -> None:
    """Each command has a rate of its own; all that don't exist share one."""
    for number in range(BURST + 1):
        room.tell("snooze", b"?")
        room.tell(f"nonsense{number}", b"?")
    room.tell("ping")
    answers = room.heard(2 * BURST + 3)

    assert [answer.ok for answer in answers].count(True) == 1
    assert room.desk.stats() == CommandStats(done=1, refused=2 * BURST + 2)


def test_retained_command_is_ignored(room: Room) -> None:
    """What the broker kept from some other time is neither done nor answered."""
    room.desk.take("ping", written(), retained=True)
    room.tell(transaction="b")
    answers = room.heard(1)

    assert [answer.id for answer in answers] == ["b"]
    assert room.desk.stats() == CommandStats(done=1, ignored=1)


@pytest.mark.parametrize("data", HOSTILE, ids=lambda data: str(data[:24]))
def test_hostile_command_is_answered(room: Room, data: bytes) -> None:
    """Whatever comes is answered with an error, with the id where that could be read, and nothing is done."""
    room.tell("ping", data)
    (answer,) = room.heard(1)

    assert not answer.ok
    assert answer.id in {None, "a"}
    assert room.done == []


@pytest.mark.parametrize("name", ["", "a/b", "Ping", "pïng", "x" * 33, "#", "a\x00"])
def test_topics_of_a_strangers_making_are_not_answered(room: Room, name: str) -> None:
    """A name that no command could have is counted and not echoed."""
    room.tell(name)
    room.tell("reboot")
    room.heard(1)

    assert [name for name, _ in room.answers] == ["reboot"]
    assert room.desk.stats() == CommandStats(refused=2)


def test_busy_box_refuses_what_it_can_not_keep(make_room: MakeRoom) -> None:
    """While one command takes long only so many wait; the next is refused, and is done when it is sent again."""
    begun, go_on = threading.Event(), threading.Event()

    def slowly(_: Command) -> Reply:
        begun.set()
        go_on.wait(PATIENCE_S)
        return DONE

    room = make_room(slowly)
    names = ("ping", "lesson_end", "resume", "lesson_start", "pause")
    room.tell("ping", transaction="first")
    assert begun.wait(PATIENCE_S)
    for number in range(13):
        for name in names:
            room.tell(name, transaction=str(number))
    refusals = room.heard(1)
    go_on.set()
    room.heard(66)
    room.tell("pause", transaction="12")
    last = room.heard(67)[-1]
    room.desk.close()

    assert [(answer.id, answer.ok) for answer in refusals] == [("12", False)]
    assert "busy" in str(refusals[0].error)
    assert last == ResponsePayload(id="12", ok=True, error=None)
    assert len(room.done) == 66


def test_end_answers_what_waits(make_room: MakeRoom) -> None:
    """A desk that closes ends what is under way and refuses the rest, before and after."""
    begun, go_on = threading.Event(), threading.Event()

    def slowly(_: Command) -> Reply:
        begun.set()
        go_on.wait(PATIENCE_S)
        return DONE

    room = make_room(slowly)
    room.tell(transaction="done")
    assert begun.wait(PATIENCE_S)
    room.tell(transaction="waits")
    closing = threading.Thread(target=room.desk.close)
    closing.start()
    wait_until(room.desk._stopping.is_set)  # noqa: SLF001 - no other sign of a call that has begun
    go_on.set()
    closing.join()
    room.tell(transaction="late")
    room.desk.close()

    assert [(answer.id, answer.ok) for _, answer in room.answers] == [("done", True), ("waits", False), ("late", False)]
    assert "stopping" in str(room.answers[-1][1].error)


@few
@given(st.lists(st.integers(0, 2_000_000_000)), st.floats(0.1, 100), st.integers(1, 50))
def test_bucket_never_gives_more_than_its_rate(steps: list[int], rate_per_s: float, burst: int) -> None:
    """Over any stretch from the start no more is taken than the burst and what came back."""
    bucket, now_ns, taken = TokenBucket(rate_per_s=rate_per_s, burst=burst), 0, 0
    for step in steps:
        now_ns += step
        taken += bucket.take(now_ns)

    assert taken <= burst + now_ns / 1e9 * rate_per_s + 1e-6
    assert taken >= min(len(steps), burst)


@pytest.mark.parametrize(("rate_per_s", "burst"), [(0.0, 1), (1.0, 0)])
def test_bucket_that_gives_nothing_is_refused(rate_per_s: float, burst: int) -> None:
    """A rate or a burst of nothing is a mistake."""
    with pytest.raises(ValueError, match="must be above 0"):
        TokenBucket(rate_per_s=rate_per_s, burst=burst)
