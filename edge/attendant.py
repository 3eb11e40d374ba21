"""Whoever attends to the room: begins and ends lessons, and does what the tablet says."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime

from edge.channel import Passed
from edge.clock import utc_now
from edge.errors import EdgeError, SettingsError
from edge.fusion.coverage import Look
from edge.observation import VoiceObservation
from edge.pipeline import Pipeline
from edge.publish.commands import (
    DONE,
    Acknowledge,
    BeginLesson,
    Command,
    EndLesson,
    GiveFeedback,
    Mark,
    Ping,
    Reply,
    Snooze,
)
from edge.role import Role
from edge.store.store import Store
from edge.summary import Feedback, Lesson, Verdict, new_lesson
from edge.timetable.keeper import Begin, Change, LessonKeeper

_LOG = logging.getLogger(__name__)


class Attendant:
    """Turns a keeper's changes into lessons of the pipeline, and commands into what they ask for. For several threads.

    Args:
        keeper: Says when lessons begin and end; ``None`` leaves the one that runs alone.
        store: Keeps what a teacher notes.
        rules: Names of the rules that can be snoozed.
        group: The class where a lesson's slot does not say.
        kind: Type of lesson where the slot does not say.
        now: The calendar.
    """

    def __init__(
        self,
        *,
        keeper: LessonKeeper | None,
        store: Store,
        rules: frozenset[str],
        group: str = "",
        kind: str = "",
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._keeper, self._store, self._rules = keeper, store, rules
        self._group, self._kind, self._now = group, kind, now
        self._lock = threading.Lock()
        self._pipeline: Pipeline | None = None
        self.fault: str | None = None
        """Why lessons can't begin by themselves, in one line; ``None`` while they can."""
        self._people: int | None = None
        self._speech: float | None = None

    def attend(self, pipeline: Pipeline) -> None:
        """Attend to this pipeline from now on."""
        self._pipeline = pipeline

    def watch(self, passed: Passed) -> None:
        """Take in what the stages see of the class, for lessons that begin by activity."""
        if isinstance(passed, Look) and passed.role is Role.STUDENTS:
            self._people = len(passed.faces)
        elif isinstance(passed, VoiceObservation):
            self._speech = passed.hop_speech_ratio

    def tick(self) -> None:
        """Begin and end what is due; to be called every second or so."""
        if self._keeper is None:
            return
        with self._lock:
            now = self._now()
            people, speech, self._people, self._speech = self._people, self._speech, None, None
            self._keeper.see(now, people=people, speech_ratio=speech)
            try:
                self._carry_out(self._keeper.tick(now))
            except SettingsError as error:
                if self.fault is None:
                    _LOG.warning("%s; lessons begin and end by command only", error)
                self.fault = str(error)
            else:
                self.fault = None

    def carry_out(self, command: Command) -> Reply:
        """Do what a room is told, and say whether it was done."""
        try:
            return self._do(command)
        except EdgeError as error:
            return Reply(str(error))

    def _do(self, command: Command) -> Reply:
        pipeline = self._pipeline
        if pipeline is None:
            return Reply("the box is still starting; try again")
        match command:
            case Ping():
                pass
            case BeginLesson():
                self._begin(pipeline, command)
            case EndLesson():
                if self._keeper is None:
                    pipeline.end_lesson()
                else:
                    with self._lock:
                        self._carry_out(self._keeper.end(self._now()))
            case Snooze():
                if command.rule is not None and command.rule not in self._rules:
                    return Reply(f"no rule {command.rule!r}; known: {', '.join(sorted(self._rules))}")
                pipeline.snooze(command.rule, command.minutes * 60)
            case Acknowledge() | GiveFeedback():
                verdict = command.verdict if isinstance(command, GiveFeedback) else Verdict.SEEN
                pipeline.tell(Feedback(command.alert_id, verdict, self._now()))
            case Mark():
                self._store.add_mark(kind=command.kind, text=command.text)
            case _:
                return Reply("this box can't do that; change its settings instead")
        return DONE

    def _begin(self, pipeline: Pipeline, command: BeginLesson) -> None:
        now = self._now()
        if self._keeper is None:
            pipeline.begin_lesson(self._lesson(now, command.title, command.group, command.kind))
            return
        with self._lock:
            changes = self._keeper.begin(now, title=command.title, group=command.group, kind=command.kind)
            self._carry_out(changes)

    def _carry_out(self, changes: tuple[Change, ...]) -> None:
        if self._pipeline is None:
            return
        for change in changes:
            if isinstance(change, Begin):
                slot = change.slot
                self._pipeline.begin_lesson(self._lesson(self._now(), slot.title, slot.group, slot.kind))
            else:
                self._pipeline.end_lesson()

    def _lesson(self, at: datetime, title: str, group: str, kind: str) -> Lesson:
        return new_lesson(at, title=title, group=group or self._group, kind=kind or self._kind)
