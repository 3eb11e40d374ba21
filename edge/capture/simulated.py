"""A classroom that isn't there: for machines without a camera, and for tests that need to know the truth.

It is a source like any other: frames of a class whose faces change by a script, and sound with scripted speech. The
faces are nobody's (:mod:`edge.capture.simulated_faces`) and the script is data (:mod:`edge.capture.lesson`).
"""

import threading
from collections.abc import Iterator

import numpy as np

from edge.capture.lesson import LessonScript
from edge.capture.simulated_scene import Scene, Showing
from edge.capture.simulated_voice import LessonSound
from edge.clock import Clock
from edge.media import SAMPLE_RATE, AudioBlock, Frame
from edge.observation import Emotion
from edge.role import Role

BLOCK = SAMPLE_RATE // 10
"""Samples of a block of sound: 100 ms."""

CHANGE_S = 0.7
"""Seconds one face takes from one emotion to the next."""

SECOND_NS = 1_000_000_000


class SimulatedClassroom:
    """Plays a lesson: a class of pupils, or with the role of the teacher one person.

    Args:
        lesson: What happens when.
        name: Unique in a pipeline.
        role: ``STUDENTS`` sees the pupils and hears the class; ``TEACHER`` sees and hears the teacher.
        people: Pupils in the class, 1 to 18; the teacher is always alone.
        fps: Frames a second.
        size: Width and height of a frame, pixels.
        seed: Who sits there; one seed always gives the same pictures and sound.
        clock: Plays in this clock's real time, from its time at the first item. ``None`` plays as fast as it is
            consumed.
        epoch_ns: Nanoseconds that media time 0 is stamped with when there is no clock.

    Raises:
        ValueError: The rate is not positive, or people or size are out of range.
        SourceMissingError: The face model is not there.
    """

    def __init__(  # noqa: PLR0913 - every one has a default but the lesson
        self,
        *,
        lesson: LessonScript,
        name: str = "simulated",
        role: Role = Role.STUDENTS,
        people: int = 12,
        fps: float = 10.0,
        size: tuple[int, int] = (1280, 720),
        seed: int = 0,
        clock: Clock | None = None,
        epoch_ns: int = 0,
    ) -> None:
        if fps <= 0:
            raise ValueError(f"fps must be positive, got {fps}")
        self.lesson = lesson
        self._name = name
        self._role = role
        self._fps = fps
        self._clock = clock
        self._epoch_ns = epoch_ns
        self._stop = threading.Event()
        pupils = people if role is Role.STUDENTS else 1
        self._scene = Scene(people=pupils, size=size, seed=seed if role is Role.STUDENTS else seed + 1)
        self._sound = LessonSound(lesson, role, seed=seed)
        if role is Role.STUDENTS:
            self._plans = lesson.pupils(people, seed=seed)
        else:
            self._plans = tuple((phase.teacher,) for phase in lesson.phases)
        # Each pupil notices at another moment of the lesson's fade.
        last = max(lesson.fade_s - CHANGE_S, 0.0)
        self._delays = np.random.default_rng((seed, 4)).uniform(0, last, size=pupils)

    @property
    def name(self) -> str:
        """Unique in a pipeline; stamped on everything it delivers."""
        return self._name

    @property
    def role(self) -> Role:
        """Whom it looks at and listens to."""
        return self._role

    @property
    def live(self) -> bool:
        """No: a lesson that ended is over."""
        return False

    @property
    def duration_s(self) -> float | None:
        """Seconds until it ends; ``None`` for a lesson that starts again."""
        return None if self.lesson.loop else self.lesson.seconds

    def close(self) -> None:
        """Make :meth:`items` end soon, now and whenever it is called again."""
        self._stop.set()

    def shown(self, at_s: float) -> tuple[Emotion, ...]:
        """Return the emotion that each pupil shows at *at_s* seconds of media time, the nearer one during a change."""
        return tuple(s.after if s.done >= 0.5 else s.before for s in self._showing(at_s))  # noqa: PLR2004 - half way

    def picture(self, at_s: float) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        """Return the picture at *at_s* seconds of media time, RGB, shape (height, width, 3)."""
        return self._scene.draw(at_s, self._showing(at_s))

    def items(self) -> Iterator[Frame | AudioBlock]:
        """Play the lesson from its start: frames and 100 ms blocks of sound, each when a device would deliver it.

        In real time, frames that are late by more than one interval are left out, which shows in their sequence
        numbers; sound is never left out.
        """
        needed = {(pupil, emotion) for plan in self._plans for pupil, emotion in enumerate(plan)}
        self._scene.prepare(sorted(needed))
        epoch_ns = self._epoch_ns if self._clock is None else self._clock.now_ns()
        interval_ns = SECOND_NS / self._fps
        end_ns = None if self.lesson.loop else round(self.lesson.seconds * SECOND_NS)
        frame, sample = 0, 0
        while not self._stop.is_set():
            frame_ns = round(frame * interval_ns)
            block_ns = sample * SECOND_NS // SAMPLE_RATE
            # A block is complete only at its end, and that is when a microphone delivers it.
            heard_ns = (sample + BLOCK) * SECOND_NS // SAMPLE_RATE
            due_ns = min(frame_ns, heard_ns)
            if end_ns is not None and (due_ns > end_ns or (due_ns == end_ns == frame_ns < heard_ns)):
                return
            late_ns = self._wait(epoch_ns + due_ns)
            if self._stop.is_set():
                return
            if heard_ns <= frame_ns:
                samples = self._sound.samples(sample, BLOCK)
                yield AudioBlock(samples, epoch_ns + block_ns, self._name, self._role)
                sample += BLOCK
            else:
                if late_ns <= interval_ns:
                    pixels = self.picture(frame_ns / SECOND_NS)
                    yield Frame(pixels, epoch_ns + frame_ns, frame, self._name, self._role)
                frame += 1

    def _wait(self, due_ns: int) -> int:
        """Wait for an instant of the clock; return by how many nanoseconds it has passed."""
        if self._clock is None:
            return 0
        ahead_ns = due_ns - self._clock.now_ns()
        if ahead_ns > 0:
            self._clock.wait(ahead_ns / SECOND_NS, self._stop)
        return max(0, -ahead_ns)

    def _showing(self, at_s: float) -> tuple[Showing, ...]:
        lesson = self.lesson
        if lesson.loop:
            at_s %= lesson.seconds
        index = lesson.index_at(at_s)
        into = at_s - lesson.phases[index].at_s
        change = min(CHANGE_S, lesson.fade_s)
        showing = []
        for pupil, after in enumerate(self._plans[index]):
            before = self._plans[max(index - 1, 0)][pupil]
            done = (into - float(self._delays[pupil])) / change if change > 0 else 1.0
            # Faces start and stop moving gently.
            done = min(max(done, 0.0), 1.0)
            showing.append(Showing(before, after, done * done * (3 - 2 * done)))
        return tuple(showing)
