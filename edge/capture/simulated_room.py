"""The simulated classroom's room: wall, window, board, desks, and the pupils' shoulders and arms."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Seat:
    """Where somebody sits in the picture."""

    x: float
    """Column of the face's centre, pixels."""

    y: float
    """Row of the face's centre, pixels."""

    face: float
    """Height of the face from the upper forehead to the chin, pixels."""

    row_y: float
    """Row at which a face of average size sits in this row, pixels; the desk hangs on it."""


class _Brush:
    """Draws shapes given in pixels of the final picture on a canvas of twice its size."""

    def __init__(self, canvas: Pixels) -> None:
        self._canvas = canvas

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        fixed = np.round(np.array(points) * 2 * 16).astype(np.int32)
        cv2.fillPoly(self._canvas, [fixed], colour, cv2.LINE_AA, 4)

    def box(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], colour)

    def ellipse(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        turn = np.linspace(0, 2 * np.pi, 48)
        self.polygon(list(zip(x + rx * np.cos(turn), y + ry * np.sin(turn), strict=True)), colour)

    def line(self, start: Point, end: Point, width: float, colour: Colour) -> None:
        a, b = ((round(p[0] * 32), round(p[1] * 32)) for p in (start, end))
        cv2.line(self._canvas, a, b, colour, max(1, round(2 * width)), cv2.LINE_AA, 4)


def paint_room(
    seats: Sequence[Seat], clothes: Sequence[Colour], skins: Sequence[Colour], size: tuple[int, int], *, seed: int
) -> Pixels:
    """Paint everything that does not move.

    Args:
        seats: The pupils, the back row first.
        clothes: A colour for each.
        skins: A colour for each.
        size: Width and height, pixels.
        seed: Chooses the grain of the picture.

    Returns:
        RGB, shape (height, width, 3).
    """
    width, height = size
    canvas = np.zeros((2 * height, 2 * width, 3), np.uint8)
    _shade(canvas, 0.0, 0.40, (214, 210, 196), (226, 219, 202))
    _shade(canvas, 0.40, 1.0, (142, 126, 108), (104, 92, 80))
    brush = _Brush(canvas)
    _furnish(brush, width, height)
    rows = sorted({seat.row_y for seat in seats})
    for row in rows:
        members = [index for index, seat in enumerate(seats) if seat.row_y == row]
        for index in members:
            _body(brush, seats[index], clothes[index], skins[index])
        for index in members:
            _desk(brush, seats[index], clothes[index], skins[index], index)
    small = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
    grain = np.random.default_rng((seed, 3)).normal(scale=1.6, size=(height, width, 3))
    return np.clip(small * _light(width, height)[..., None] + grain, 0, 255).astype(np.uint8)


def _shade(canvas: Pixels, top: float, bottom: float, first: Colour, last: Colour) -> None:
    """Fill a band of the canvas with a colour that changes downwards."""
    rows = slice(round(top * len(canvas)), round(bottom * len(canvas)))
    count = rows.stop - rows.start
    ramp = np.linspace(np.array(first, np.float32), np.array(last, np.float32), count)
    canvas[rows] = ramp[:, None].astype(np.uint8)


def _light(width: int, height: int) -> npt.NDArray[np.float32]:
    """Return how brightly each pixel is lit: from the window on the left, darker in the corners."""
    x, y = np.meshgrid(np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32))
    return np.asarray(1.02 - 0.05 * x - 0.05 * (x**2 + y**2), np.float32)


def _furnish(brush: _Brush, width: int, height: int) -> None:
    """Hang up and put down what stands at the back wall."""
    u, v = width / 1280, height / 720
    brush.box(0, 286 * v, width, 296 * v, (168, 150, 126))

    for left in (36, 158):
        brush.box(left * u, 18 * v, (left + 112) * u, 176 * v, (246, 246, 242))
        brush.box((left + 7) * u, 25 * v, (left + 105) * u, 169 * v, (196, 220, 236))
        brush.polygon(
            [((left + dx) * u, y * v) for dx, y in ((7, 130), (50, 108), (105, 136), (105, 169), (7, 169))],
            (150, 186, 140),
        )
        brush.box((left + 53) * u, 25 * v, (left + 59) * u, 169 * v, (246, 246, 242))

    brush.box(352 * u, 22 * v, 792 * u, 158 * v, (150, 114, 76))
    brush.box(359 * u, 29 * v, 785 * u, 151 * v, (196, 168, 128))
    papers: tuple[tuple[int, int, int, int, Colour], ...] = (
        (374, 40, 70, 50, (236, 232, 220)),
        (456, 38, 52, 64, (120, 168, 190)),
        (522, 46, 76, 46, (240, 214, 130)),
        (612, 38, 48, 60, (222, 142, 120)),
        (674, 42, 92, 56, (232, 236, 230)),
        (384, 104, 54, 38, (160, 190, 140)),
        (528, 104, 66, 38, (234, 232, 238)),
        (694, 106, 60, 36, (150, 140, 186)),
    )
    for left, top, wide, high, colour in papers:
        brush.box(left * u, top * v, (left + wide) * u, (top + high) * v, colour)
        ink: Colour = (colour[0] * 2 // 3, colour[1] * 2 // 3, colour[2] * 2 // 3)
        for line in range(12, high - 8, 8):
            end = left + wide - 8 - (line * 7) % 19
            brush.line(((left + 8) * u, (top + line) * v), (end * u, (top + line) * v), 1.5 * v, ink)

    brush.ellipse(872 * u, 62 * v, 30 * v, 30 * v, (90, 90, 94))
    brush.ellipse(872 * u, 62 * v, 26 * v, 26 * v, (248, 248, 244))
    brush.line((872 * u, 62 * v), (872 * u, 44 * v), 2 * v, (40, 40, 44))
    brush.line((872 * u, 62 * v), (885 * u, 68 * v), 2.5 * v, (40, 40, 44))

    brush.box(960 * u, 34 * v, 1246 * u, 290 * v, (140, 104, 70))
    books: tuple[Colour, ...] = ((158, 72, 64), (66, 100, 138), (206, 176, 98), (86, 130, 98), (122, 92, 138))
    for shelf in range(3):
        top = 44 + shelf * 80
        brush.box(970 * u, top * v, 1236 * u, (top + 70) * v, (96, 70, 48))
        edge_x = 976.0
        for book in range(18):
            thick, high = 9 + (book * 7 + shelf * 5) % 7, 44 + (book * 11 + shelf * 3) % 20
            if edge_x + thick > 1232:  # noqa: PLR2004 - the shelf's right end
                break
            if (book + 2 * shelf) % 9 == 8:  # noqa: PLR2004 - now and then a gap
                edge_x += thick + 4
                continue
            brush.box(
                edge_x * u, (top + 70 - high) * v, (edge_x + thick) * u, (top + 70) * v, books[(book + shelf * 2) % 5]
            )
            edge_x += thick + 1.5


def _body(brush: _Brush, seat: Seat, clothes: Colour, skin: Colour) -> None:
    """Paint a chair's back, shoulders, chest and neck."""
    f, x, y = seat.face, seat.x, seat.y
    brush.polygon(_rounded(x, seat.row_y + 1.36 * f, 0.72 * f, 0.80 * f, 0.2 * f), (116, 84, 56))
    neck: Colour = (skin[0] * 3 // 4, skin[1] * 3 // 4, skin[2] * 3 // 4)
    shade: Colour = (clothes[0] * 4 // 5, clothes[1] * 4 // 5, clothes[2] * 4 // 5)
    turn = np.linspace(np.pi, 2 * np.pi, 24)
    for half, lift, colour in ((1.02, 0.46, shade), (0.80, 0.48, clothes)):
        top = list(zip(x + half * f * np.cos(turn), y + (1.10 + lift * np.sin(turn)) * f, strict=True))
        brush.polygon([*top, (x + half * f, y + 2.3 * f), (x - half * f, y + 2.3 * f)], colour)
    brush.ellipse(x, y + 0.68 * f, 0.30 * f, 0.15 * f, shade)
    brush.ellipse(x, y + 0.65 * f, 0.25 * f, 0.13 * f, neck)


def _desk(brush: _Brush, seat: Seat, clothes: Colour, skin: Colour, index: int) -> None:
    """Paint a desk with a book on it, and the arms that lie on it."""
    f, x = seat.face, seat.x
    top = seat.row_y + 1.56 * f
    half, deep = 1.62 * f, 0.34 * f
    brush.box(x - half + 0.1 * f, top + deep, x - half + 0.2 * f, top + 1.5 * f, (90, 92, 96))
    brush.box(x + half - 0.2 * f, top + deep, x + half - 0.1 * f, top + 1.5 * f, (90, 92, 96))
    brush.polygon(
        [(x - half * 0.93, top), (x + half * 0.93, top), (x + half, top + deep), (x - half, top + deep)],
        (206, 170, 122),
    )
    brush.box(x - half, top + deep, x + half, top + deep + 0.07 * f, (150, 116, 78))
    brush.box(x - half * 0.94, top + deep + 0.07 * f, x + half * 0.94, top + deep + 0.5 * f, (172, 136, 94))
    shade: Colour = (clothes[0] * 5 // 6, clothes[1] * 5 // 6, clothes[2] * 5 // 6)
    for side in (-1, 1):
        elbow, hand = (x + side * 0.92 * f, top + 0.02 * f), (x + side * 0.32 * f, top + 0.13 * f)
        brush.line((x + side * 0.90 * f, top - 0.4 * f), elbow, 0.26 * f, shade)
        brush.line(elbow, hand, 0.24 * f, shade)
        brush.ellipse(x + side * 0.24 * f, top + 0.15 * f, 0.15 * f, 0.10 * f, skin)
    tilt = 0.05 * f * (index % 3 - 1)
    sheet = [(x - 0.34 * f + tilt, top + 0.17 * f), (x + 0.34 * f + tilt, top + 0.17 * f)]
    sheet += [(x + 0.40 * f - tilt, top + 0.32 * f), (x - 0.40 * f - tilt, top + 0.32 * f)]
    brush.polygon(sheet, (244, 242, 234))


def _rounded(x: float, y: float, rx: float, ry: float, corner: float) -> list[Point]:
    """Return a box's outline with round corners."""
    points: list[Point] = []
    for quarter, (sx, sy) in enumerate(((1, 1), (-1, 1), (-1, -1), (1, -1))):
        cx, cy = x + sx * (rx - corner), y + sy * (ry - corner)
        turn = np.linspace(0, np.pi / 2, 8) + quarter * np.pi / 2
        points += list(zip(cx + corner * np.cos(turn), cy + corner * np.sin(turn), strict=True))
    return points
