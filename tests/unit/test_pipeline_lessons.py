"""Lessons begin and end while the sources run on."""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import repeat

import pytest

from edge.alerts.engine import AlertEngine
from edge.alerts.rules import Rule
from edge.fusion.aggregator import Aggregator, Windows
from edge.fusion.evidence import Reliability
from edge.media import AudioBlock, Frame
from edge.metric import Metric, Standing
from edge.observation import Emotion, FaceObservation
from edge.pipeline import Baseline, Feed, Pipeline
from edge.role import Role
from edge.summary import Alert, AlertState, Feedback, Health, Lesson, Outgoing, Verdict, WindowSummary
from edge.testing import HandClock, ListSink, ScriptedSource, ScriptedVision
from tests.builders import EPOCH, SECOND, face, frame, sure, to_utc

PATIENCE_S = 10.0
"""Longest wait for another thread; reached only when a test fails."""
LATENESS_S = 0.3
SAD, HAPPY = sure(Emotion.SADNESS), sure(Emotion.HAPPINESS)

Step = Frame | AudioBlock | BaseException | Callable[[], object]


def lesson(title: str, at_s: float = 0.0) -> Lesson:
    """Return a lesson that has begun."""
    return Lesson(id=title, title=title, started_at=EPOCH + timedelta(seconds=at_s), ended_at=None)


class Notes(ListSink):
    """A sink that others can wait for."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()

    def accept(self, item: Outgoing) -> None:
        """Keep one item and wake who waits."""
        with self._changed:
            super().accept(item)
            self._changed.notify_all()

    def has(self, kind: type, number: int) -> Callable[[], None]:
        """Return a step that waits until *number* items of a kind have come."""

        def step() -> None:
            with self._changed:
                ready = self._changed.wait_for(lambda: len(self.of(kind)) >= number, PATIENCE_S)
            assert ready

        return step

    def of(self, kind: type) -> list[Outgoing]:
        """Return the items of a kind."""
        return [item for item in self.items if isinstance(item, kind)]

    def parts(self) -> list[list[Outgoing]]:
        """Return what came from one lesson's beginning to the next one's, health left out."""
        parts: list[list[Outgoing]] = []
        for item in self.items:
            if isinstance(item, Lesson) and item.ended_at is None:
                parts.append([])
            if not isinstance(item, Health):
                parts[-1].append(item)
        return parts


class Room:
    """A camera that sees one face in every frame, and a pipeline whose time a test moves."""

    def __init__(
        self,
        *,
        mood: Callable[[float], Emotion] = lambda _: Emotion.SADNESS,
        first: Lesson | None = None,
        make_baseline: Callable[[Lesson], Baseline] | None = None,
        rules: Iterable[Rule] = (),
        engine: AlertEngine | None = None,
        faults: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        self.clock, self.sink = HandClock(), Notes()
        self._looked = threading.Semaphore(0)
        self._mood = mood
        self._script: list[Step] = []
        self._at_s = 0.0
        self.source = ScriptedSource(openings=[self._play()])
        self.pipeline = Pipeline(
            feeds=[Feed(self.source, ScriptedVision(self._see), None)],
            make_aggregator=lambda epoch_ns: Aggregator(
                epoch_ns=epoch_ns,
                to_utc=to_utc,
                windows=Windows(window_s=0.2, hop_s=0.1, least_s=0.0),
                reliability=Reliability(),
            ),
            to_utc=to_utc,
            policy=None,
            make_baseline=make_baseline,
            engine=engine or AlertEngine(rules, hop_s=0.1),
            sinks=[self.sink],
            clock=self.clock,
            delays=lambda: repeat(0.0),
            lesson=first,
            faults=faults,
            lateness_s=LATENESS_S,
        )

    def run(self, *steps: Callable[[], object] | float) -> Notes:
        """Take the steps, each a call, or seconds for which the camera delivers ten frames a second."""
        for step in steps:
            if callable(step):
                self._script.append(step)
                continue
            for _ in range(round(step * 10)):
                self._script += [self._shoot(), self._wait, lambda: self.clock.advance(0.1)]
        self.pipeline.start()

        assert self.pipeline.wait(PATIENCE_S)
        return self.sink

    def _play(self) -> Iterator[Step]:
        yield from self._script

    def _shoot(self) -> Frame:
        self._at_s += 0.1
        return frame(self._at_s - 0.1)

    def _wait(self) -> None:
        assert self._looked.acquire(timeout=PATIENCE_S)

    def _see(self, shown: Frame) -> tuple[FaceObservation, ...]:
        at_s = shown.captured_ns / SECOND
        self._looked.release()
        return (face(at_s, sure(self._mood(at_s)), span_s=0.1),)


def closes(part: list[Outgoing]) -> list[float]:
    """Return when the windows of a lesson closed, seconds since it began."""
    return [round(item.closed_s, 3) for item in part if isinstance(item, WindowSummary) and item.role == "students"]


def test_a_lesson_is_the_first_and_the_last_that_is_handed_out_of_it() -> None:
    """Begun, its windows, and once more with its end on the media's calendar."""
    sink = Room(first=lesson("Maths")).run(1.0)
    (part,) = sink.parts()

    assert part[0] == lesson("Maths")
    assert part[-1] == replace(lesson("Maths"), ended_at=EPOCH + timedelta(seconds=1.0))
    assert closes(part) == pytest.approx([n / 10 for n in range(1, 11)])


def test_without_a_lesson_nothing_is_summarised() -> None:
    """The source runs and health is true, but no window is made."""
    sink = Room().run(1.0)
    last = sink.items[-1]

    assert sink.of(WindowSummary) == []
    assert sink.of(Lesson) == []
    assert isinstance(last, Health)
    assert last.sources[0].frames == 10


def test_a_lesson_that_begins_later_counts_from_there() -> None:
    """Its windows are as far from its own beginning, hold nothing from before it, and nothing of them is late."""
    room = Room(mood=lambda at_s: Emotion.SADNESS if at_s < 0.45 else Emotion.HAPPINESS)
    sink = room.run(0.5, lambda: room.pipeline.begin_lesson(lesson("Maths", 0.5)), 0.5)
    (part,) = sink.parts()
    windows = [item for item in part if isinstance(item, WindowSummary) and item.role == "students"]

    assert closes(part) == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])
    assert windows[0].opened_at == EPOCH + timedelta(seconds=0.5)
    assert [w.fused.negative_share for w in windows] == [0.0] * 5
    assert windows[-1].late == 0


def test_a_lesson_that_ends_has_its_last_windows_whole() -> None:
    """The end waits for what is on its way, and no window reaches over it."""
    room = Room(first=lesson("Maths"))
    sink = room.run(0.5, room.pipeline.end_lesson, 1.0)
    (part,) = sink.parts()
    ended = part[-1]

    assert closes(part) == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])
    assert [w.face.observations for w in sink.summaries if w.role == "students"] == [1, 2, 2, 2, 2]
    assert isinstance(ended, Lesson)
    assert ended.ended_at == EPOCH + timedelta(seconds=0.5)


def under_way(at_s: float) -> tuple[Callable[[float], Emotion], Callable[[], None]]:
    """Return a mood whose look at *at_s* takes until the step returned with it."""
    go_on = threading.Event()

    def mood(shown_s: float) -> Emotion:
        if shown_s > at_s - 0.05:
            assert go_on.wait(PATIENCE_S)
        return Emotion.SADNESS

    return mood, go_on.set


def told(room: Room) -> Callable[[], None]:
    """Return a step that waits until all that was asked before it is done, or waits itself."""

    def step() -> None:
        room.pipeline.tell(Feedback("a", Verdict.SEEN, EPOCH))
        room.sink.has(Feedback, 1)()

    return step


def test_a_look_under_way_at_the_end_is_in_the_last_window() -> None:
    """What is known a little after the end, of a moment before it, still counts."""
    mood, finish = under_way(0.4)
    room = Room(first=lesson("Maths"), mood=mood)
    room.run(0.5, room.pipeline.end_lesson, told(room), finish, 0.5)
    windows = [w for w in room.sink.summaries if w.role == "students"]

    assert [w.face.observations for w in windows] == [1, 2, 2, 2, 2]
    assert windows[-1].late == 0


def test_a_look_under_way_at_the_beginning_is_of_no_lesson() -> None:
    """What was seen before a lesson began is neither in it nor late for it."""
    mood, finish = under_way(0.4)
    room = Room(mood=mood)
    room.run(0.5, lambda: room.pipeline.begin_lesson(lesson("Maths", 0.5)), told(room), finish, 0.5)
    windows = [w for w in room.sink.summaries if w.role == "students"]

    assert [w.face.observations for w in windows] == [1, 2, 2, 2, 2]
    assert windows[-1].late == 0


def test_lessons_one_after_the_other_share_nothing() -> None:
    """One ends and the next begins at the same instant: no observation is in both, and none is lost."""
    room = Room(
        mood=lambda at_s: Emotion.SADNESS if at_s < 0.55 else Emotion.HAPPINESS,
        first=lesson("Maths"),
    )

    def change() -> None:
        room.pipeline.end_lesson()
        room.pipeline.begin_lesson(lesson("Art", 0.6))

    sink = room.run(0.6, change, 0.6)
    maths, art = sink.parts()

    assert closes(maths) == closes(art) == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    for part, share in ((maths, 1.0), (art, 0.0)):
        windows = [item for item in part if isinstance(item, WindowSummary) and item.role == "students"]
        assert {w.fused.negative_share for w in windows} == {share}
        assert [w.face.observations for w in windows] == [1, 2, 2, 2, 2, 2]


def test_a_lesson_that_begins_ends_the_one_before_it() -> None:
    """Whoever forgets to end a lesson has it ended by the next."""
    room = Room(first=lesson("Maths"))
    sink = room.run(0.5, lambda: room.pipeline.begin_lesson(lesson("Art", 0.5)), 0.5)
    maths, art = sink.parts()

    assert maths[-1] == replace(lesson("Maths"), ended_at=EPOCH + timedelta(seconds=0.5))
    assert art[0] == lesson("Art", 0.5)
    assert closes(maths) == closes(art) == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])


def test_an_end_without_a_lesson_is_nothing() -> None:
    """Asked twice, or asked when none runs, nothing happens."""
    room = Room()
    sink = room.run(room.pipeline.end_lesson, 0.5, room.pipeline.end_lesson, 0.5)

    assert [item for item in sink.items if not isinstance(item, Health)] == []


def test_turns_that_were_asked_for_together_are_taken_in_order() -> None:
    """Three lessons within an instant are three lessons, the first two of them empty."""
    room = Room()

    def hurry() -> None:
        for title in ("one", "two", "three"):
            room.pipeline.begin_lesson(lesson(title))

    sink = room.run(hurry, 0.5)
    one, two, three = sink.parts()

    assert [closes(part) for part in (one, two)] == [[], []]
    assert closes(three) == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])
    assert [item.ended_at for item in (one[-1], two[-1]) if isinstance(item, Lesson)] == [EPOCH, EPOCH]


def test_what_is_raised_ends_with_its_lesson() -> None:
    """An alert is cleared before its lesson is over, and the next lesson starts its hold anew."""
    room = Room(first=lesson("Maths"), rules=[Rule(hold_s=0.2)])
    sink = room.run(0.6, lambda: room.pipeline.begin_lesson(lesson("Art", 0.6)), 0.6)
    maths, art = sink.parts()

    for part in (maths, art):
        raised, cleared = (item for item in part if isinstance(item, Alert))
        assert (raised.state, cleared.state) == (AlertState.RAISED, AlertState.CLEARED)
        assert raised.at_s == pytest.approx(0.2)
        assert cleared.at_s == pytest.approx(0.6)
        assert part[-2] == cleared


def test_each_lesson_has_its_own_usual() -> None:
    """What is usual is made for the lesson, and sinks see it in every window."""
    made: list[str] = []

    def make(begun: Lesson) -> Baseline:
        made.append(begun.title)
        standing = Standing(Metric.NEGATIVE, 0.1 * len(made), 0.0, 1.0)
        return lambda summary: replace(summary, standings=(standing,))

    room = Room(first=lesson("Maths"), make_baseline=make)
    sink = room.run(0.3, lambda: room.pipeline.begin_lesson(lesson("Art", 0.3)), 0.3)
    maths, art = sink.parts()

    assert made == ["Maths", "Art"]
    for part, value in ((maths, 0.1), (art, 0.2)):
        assert {w.standings[0].value for w in part if isinstance(w, WindowSummary)} == {value}


def test_an_answer_reaches_all_sinks() -> None:
    """What a teacher says of an alert is handed out as it is, and "wrong" is told to the rule."""
    wrong: list[str] = []

    class Humble(AlertEngine):
        def was_wrong(self, alert_id: str) -> bool:
            wrong.append(alert_id)
            return super().was_wrong(alert_id)

    room = Room(first=lesson("Maths"), engine=Humble([], hop_s=0.1))
    answers = [Feedback(verdict.value, verdict, EPOCH) for verdict in Verdict]

    def say() -> None:
        for answer in answers:
            room.pipeline.tell(answer)

    assert room.run(0.3, say, 0.3).of(Feedback) == answers
    assert wrong == [Verdict.WRONG.value]


def test_a_snooze_keeps_a_rule_quiet() -> None:
    """Nothing rings while it lasts; a rule that does not exist is no reason to end the lesson."""
    room = Room(first=lesson("Maths"), rules=[Rule(hold_s=0.2)])

    def snooze() -> None:
        room.pipeline.snooze("no such rule", 60.0)
        room.pipeline.snooze(None, 60.0)

    sink = room.run(snooze, room.sink.has(Health, 1), 0.8)

    assert sink.alerts == []
    assert len(sink.of(WindowSummary)) > 0


def test_faults_of_the_box_are_in_health() -> None:
    """What the store or the publisher complains of is reported with the sources."""
    sink = Room(faults=lambda: ["the disk is full"]).run(0.1)

    assert {health.faults for health in sink.of(Health) if isinstance(health, Health)} == {("the disk is full",)}


def test_what_is_asked_after_the_end_is_not_kept(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody is left to hand an answer to, and the log says so."""
    room = Room()
    sink = room.run(0.1)
    room.pipeline.tell(Feedback("a", Verdict.SEEN, EPOCH))

    assert sink.of(Feedback) == []
    assert "after the end" in caplog.text


def test_health_is_judged_as_it_is_reported() -> None:
    """What rings because of a report comes right after it."""
    alert = Alert(
        id="1",
        rule="source_lost",
        state=AlertState.RAISED,
        role=Role.STUDENTS,
        at=EPOCH,
        at_s=0.0,
        since_s=0.0,
        reason="camera lost",
        value=None,
        threshold=0.0,
    )

    class Strict(AlertEngine):
        def judge_health(self, health: Health) -> list[Alert]:
            return [alert] if health.sources else []

    room = Room(engine=Strict([], hop_s=0.1))
    sink = room.run(room.sink.has(Alert, 1))

    assert [type(item) for item in sink.items] == [Health, Alert, Health]
