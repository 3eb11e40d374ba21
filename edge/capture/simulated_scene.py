"""The simulated classroom's picture: a painted room and moving heads laid over it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.capture.simulated_faces import FACE_HEIGHT, FaceModel
from edge.capture.simulated_heads import LEFT, TOP, Colour, Look, Sprite, head_sprite, invent_look
from edge.capture.simulated_room import Seat, paint_room
from edge.observation import Emotion

Pixels = npt.NDArray[np.uint8]

MOST_PEOPLE = 18
"""More faces than this would cover one another."""


@dataclass(frozen=True, slots=True)
class Showing:
    """What one pupil shows: one emotion, or on the way from one to another."""

    before: Emotion
    after: Emotion

    done: float
    """How far the change has gone, in [0, 1]."""


@dataclass(frozen=True, slots=True)
class _Sway:
    """How a head moves: two slow swings, with their sizes in face heights, turns in degrees, periods in seconds."""

    across: float
    down: float
    turn: float
    grow: float
    period_s: tuple[float, float]
    phase: tuple[float, float]

    def at(self, at_s: float) -> tuple[float, float, float, float]:
        """Return shift across, shift down, turn in degrees and growth at one instant."""
        one, two = (math.sin(2 * math.pi * (at_s / p + f)) for p, f in zip(self.period_s, self.phase, strict=True))
        return self.across * one, self.down * two, self.turn * (0.7 * one + 0.3 * two), self.grow * two


class Scene:
    """A room with people in it, drawn at any instant.

    Args:
        people: How many, 1 to :data:`MOST_PEOPLE`.
        size: Width and height of the picture, pixels; everything scales with the height.
        seed: Who they are; one seed always gives the same people.

    Raises:
        ValueError: There are too few or too many people, or the picture is too small to hold them.
        SourceMissingError: The face model is not there.
    """

    def __init__(self, *, people: int, size: tuple[int, int] = (1280, 720), seed: int = 0) -> None:
        if not 1 <= people <= MOST_PEOPLE:
            raise ValueError(f"people must be in [1, {MOST_PEOPLE}], got {people}")
        if min(size) < 64:  # noqa: PLR2004 - pixels
            raise ValueError(f"size must be at least 64 x 64 pixels, got {size}")
        self._model = FaceModel()
        rng = np.random.default_rng((seed, 0))
        self._seats = seats(people, size)
        self._looks: list[Look] = [invent_look(self._model, rng, index) for index in range(people)]
        self._sways = [_invent_sway(rng) for _ in range(people)]
        clothes: list[Colour] = [look.clothes for look in self._looks]
        self._room = paint_room(self._seats, clothes, [look.skin for look in self._looks], size, seed=seed)
        self._sprites: dict[tuple[int, Emotion], Sprite] = {}

    @property
    def faces_xyxy(self) -> npt.NDArray[np.float32]:
        """Where the faces are when nobody sways: left, top, right, bottom in pixels, shape (people, 4)."""
        boxes = [
            (s.x - 0.40 * s.face, s.y - 0.5 * s.face, s.x + 0.40 * s.face, s.y + 0.5 * s.face) for s in self._seats
        ]
        return np.array(boxes, np.float32)

    def prepare(self, shown: Iterable[tuple[int, Emotion]]) -> None:
        """Paint the heads that will be needed, so that no frame has to wait for one."""
        for pupil, emotion in shown:
            self._sprite(pupil, emotion)

    def draw(self, at_s: float, showing: Iterable[Showing]) -> Pixels:
        """Return the picture at one instant, RGB, shape (height, width, 3).

        Args:
            at_s: Seconds of media time, which drives the movement.
            showing: What each pupil shows, in their order.
        """
        picture = self._room.copy()
        for pupil, shown in enumerate(showing):
            self._lay(picture, pupil, self._blended(pupil, shown), at_s)
        return picture

    def _sprite(self, pupil: int, emotion: Emotion) -> Sprite:
        key = pupil, emotion
        if key not in self._sprites:
            scale = self._seats[pupil].face / FACE_HEIGHT
            self._sprites[key] = head_sprite(self._model, self._looks[pupil], emotion, scale)
        return self._sprites[key]

    def _blended(self, pupil: int, shown: Showing) -> Sprite:
        if shown.done >= 1 or shown.before is shown.after:
            return self._sprite(pupil, shown.after)
        before, after = self._sprite(pupil, shown.before), self._sprite(pupil, shown.after)
        if shown.done <= 0:
            return before
        part = shown.done
        return Sprite(
            cv2.addWeighted(before.colour, 1 - part, after.colour, part, 0).astype(np.uint8, copy=False),
            cv2.addWeighted(before.through, 1 - part, after.through, part, 0).astype(np.uint8, copy=False),
        )

    def _lay(self, picture: Pixels, pupil: int, sprite: Sprite, at_s: float) -> None:
        """Lay one head over the picture, moved by fractions of a pixel."""
        seat = self._seats[pupil]
        across, down, turn, grow = self._sways[pupil].at(at_s)
        height, width = sprite.colour.shape[:2]
        scale = seat.face / FACE_HEIGHT
        # The head turns about the base of the neck, at column 48 and row 110 of the face model's frame.
        pivot = ((48 - LEFT) * scale, (110 - TOP) * scale)
        x = seat.x - (48 - LEFT) * scale + across * seat.face
        y = seat.y - (49 - TOP) * scale + down * seat.face
        left, top = math.floor(x), math.floor(y)
        matrix = cv2.getRotationMatrix2D(pivot, turn, 1 + grow)
        matrix[:, 2] += np.array((x - left, y - top))
        x0, y0 = max(left, 0), max(top, 0)
        x1, y1 = min(left + width, picture.shape[1]), min(top + height, picture.shape[0])
        if x0 >= x1 or y0 >= y1:
            return
        matrix[:, 2] += np.array((left - x0, top - y0))
        shape = (x1 - x0, y1 - y0)
        colour = cv2.warpAffine(sprite.colour, matrix, shape, flags=cv2.INTER_LINEAR)
        through = cv2.warpAffine(
            sprite.through, matrix, shape, flags=cv2.INTER_LINEAR, borderValue=(255.0, 255.0, 255.0)
        )
        there = picture[y0:y1, x0:x1]
        cv2.multiply(there, through, dst=there, scale=1 / 255)
        cv2.add(there, colour, dst=there)


def seats(people: int, size: tuple[int, int]) -> tuple[Seat, ...]:
    """Place people in up to three rows, the back row first.

    Faces are 84, 62 and 46 pixels high in the front, middle and back row of a picture 720 pixels high.
    """
    if people <= 3:  # noqa: PLR2004 - one row
        counts = [people]
    elif people <= 7:  # noqa: PLR2004 - two rows
        counts = [people - people // 2, people // 2]
    else:
        front, middle = max(2, people // 4), people // 3
        counts = [people - front - middle, middle, front]
    rows = ((218.0, 46.0), (350.0, 62.0), (526.0, 84.0))[-len(counts) :] if len(counts) > 1 else ((430.0, 84.0),)
    width, height = size
    unit = height / 720
    placed: list[Seat] = []
    for count, (y, face) in zip(counts, rows, strict=True):
        for place in range(count):
            # Every other row is shifted, so that nobody sits right behind another.
            x = width * ((place + 0.5) / count * 0.9 + 0.05)
            lift = 0.05 * face * math.sin(2.4 * place + y)
            placed.append(Seat(x, (y + lift) * unit, face * unit, y * unit))
    return tuple(placed)


def _invent_sway(rng: np.random.Generator) -> _Sway:
    periods = tuple(float(v) for v in rng.uniform((3.5, 2.5), (8.0, 6.0)))
    phases = tuple(float(v) for v in rng.uniform(size=2))
    return _Sway(
        across=float(rng.uniform(0.02, 0.05)),
        down=float(rng.uniform(0.008, 0.02)),
        turn=float(rng.uniform(0.8, 2.2)),
        grow=float(rng.uniform(0.005, 0.015)),
        period_s=(periods[0], periods[1]),
        phase=(phases[0], phases[1]),
    )
