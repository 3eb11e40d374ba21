"""Where the detector looks: at the whole frame, or at a part of it a look when a budget asks for that.

::

    whole frame within the budget        over the budget: one tile a look, in turn
    ┌──────────────────┐                 ┌─────────┬────────┐   faces in the other tiles are followed
    │     detect       │                 │ detect  │ follow │   by what they looked like when they
    └──────────────────┘                 └─────────┴────────┘   were found (normalised cross-correlation)
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from edge.vision.boxes import iou
from edge.vision.detector import Detections

Pixels = npt.NDArray[np.uint8]

PATCH_PX = 24
"""Side to which a followed face is shrunk: enough to tell it from its surroundings."""
LEAST_MATCH = 0.5
"""Correlation below which a followed face counts as gone."""
MARGIN_PX = 96
"""How far tiles reach into each other, so that a face on the seam is whole in one of them."""
_SAME_FACE = 0.4
_SMOOTHING = 0.2


class Detector(Protocol):
    """Finds faces in a whole RGB frame, shape (height, width, 3)."""

    def detect(self, pixels: Pixels) -> Detections:
        """Return the faces, best first."""
        ...


@dataclass(slots=True, eq=False)
class _Known:
    """A face found earlier."""

    box: npt.NDArray[np.float32]
    score: float
    patch: npt.NDArray[np.uint8]
    """Shape (24, 24), grey, as it was found."""


class Scanner:
    """A detector with a budget; finds the same faces, some of them by following instead of detecting.

    Args:
        detector: Looks at a whole frame or at a tile of it.
        budget_ms: Milliseconds that detection may take a look; ``None`` always scans whole frames.
        timer: Seconds, for measuring what a megapixel costs here.
    """

    def __init__(
        self, detector: Detector, *, budget_ms: float | None = None, timer: Callable[[], float] = time.perf_counter
    ) -> None:
        if budget_ms is not None and budget_ms <= 0:
            raise ValueError(f"budget_ms must be positive, got {budget_ms}")
        self._detector = detector
        self._budget_ms = budget_ms
        self._timer = timer
        self._ms_per_megapixel: float | None = None
        self._known: list[_Known] = []
        self._found: tuple[Pixels, Detections] | None = None
        """The last frame and what was detected in it, until somebody needs to follow that."""
        self._turn = 0

    def detect(self, pixels: Pixels, *, scan: bool = True) -> Detections:
        """Find the faces of a frame, shape (height, width, 3).

        Args:
            pixels: RGB.
            scan: Whether the detector may run; without it, known faces are only followed.
        """
        if not scan:
            self._known = self._followed(pixels)
            return _detections(self._known)
        tiles = self._tiles(pixels.shape[1], pixels.shape[0])
        if len(tiles) == 1:
            found = self._timed(pixels)
            self._found = (pixels, found)
            return found
        left, top, right, bottom = tiles[self._turn % len(tiles)]
        self._turn += 1
        found = self._timed(np.ascontiguousarray(pixels[top:bottom, left:right]))
        offset = np.array([left, top, left, top], np.float32)
        fresh = Detections(found.boxes_xyxy + offset, found.confidence)
        elsewhere = _outside(self._followed(pixels), fresh, (left, top, right, bottom))
        self._known = sorted([*_remembered(pixels, fresh), *elsewhere], key=lambda known: -known.score)
        return _detections(self._known)

    def _timed(self, pixels: Pixels) -> Detections:
        begun = self._timer()
        found = self._detector.detect(pixels)
        spent_ms = (self._timer() - begun) * 1e3
        cost = spent_ms / (pixels.shape[0] * pixels.shape[1] / 1e6)
        known = self._ms_per_megapixel
        self._ms_per_megapixel = cost if known is None else known + _SMOOTHING * (cost - known)
        return found

    def _tiles(self, width: int, height: int) -> list[tuple[int, int, int, int]]:
        """Cut a frame into equal tiles, each about as large as the budget allows; one tile where the whole is."""
        if self._budget_ms is None or self._ms_per_megapixel is None:
            return [(0, 0, width, height)]
        parts = math.ceil(self._ms_per_megapixel * width * height / 1e6 / self._budget_ms)
        columns = max(1, round(math.sqrt(parts * width / height)))
        rows = math.ceil(parts / columns)
        tile_w, tile_h = (
            min(side, math.ceil(side / count) + (MARGIN_PX if count > 1 else 0))
            for side, count in ((width, columns), (height, rows))
        )
        lefts = np.linspace(0, width - tile_w, columns).round().astype(int)
        tops = np.linspace(0, height - tile_h, rows).round().astype(int)
        return [(int(x), int(y), int(x) + tile_w, int(y) + tile_h) for y in tops for x in lefts]

    def _followed(self, pixels: Pixels) -> list[_Known]:
        """Return the known faces that are still near where they were, moved to where they are."""
        if self._found is not None:
            self._known, self._found = _remembered(*self._found), None
        moved = ((known, _follow(pixels, known)) for known in self._known)
        # The picture it was found by stays, or following would drift away from the face.
        return [_Known(box, known.score, known.patch) for known, box in moved if box is not None]


def _detections(known: list[_Known]) -> Detections:
    boxes = np.array([face.box for face in known], np.float32).reshape(-1, 4)
    return Detections(boxes, np.array([face.score for face in known], np.float32))


def _remembered(pixels: Pixels, found: Detections) -> list[_Known]:
    faces = zip(found.boxes_xyxy, found.confidence, strict=True)
    patches = ((box, float(score), _patch(pixels, box)) for box, score in faces)
    return [_Known(box, score, patch) for box, score, patch in patches if patch is not None]


def _outside(followed: list[_Known], fresh: Detections, tile: tuple[int, int, int, int]) -> list[_Known]:
    """Return the followed faces that a tile does not show, or shows cut off."""
    left, top, right, bottom = tile
    kept = []
    for known in followed:
        x, y = (known.box[:2] + known.box[2:]) / 2
        inside = left <= x < right and top <= y < bottom
        if not inside and iou(known.box[None], fresh.boxes_xyxy).max(initial=0) < _SAME_FACE:
            kept.append(known)
    return kept


def _patch(pixels: Pixels, box: npt.NDArray[np.float32], reach: float = 0.0) -> npt.NDArray[np.uint8] | None:
    """Cut a box, widened by *reach* of its size on each side, shrunk so that the box itself is 24 pixels wide."""
    size = box[2:] - box[:2]
    low, high = box[:2] - reach * size, box[2:] + reach * size
    side = round(PATCH_PX * (1 + 2 * reach))
    if (size < 1).any():
        return None
    # Sampled with replicated borders, because faces leave the frame.
    matrix = np.array([[side / (high[0] - low[0]), 0, 0], [0, side / (high[1] - low[1]), 0]])
    matrix[:, 2] = -matrix[:, :2] @ low
    x0, y0 = (max(int(v) - 2, 0) for v in low)
    part = pixels[y0 : int(high[1]) + 3, x0 : int(high[0]) + 3]
    if not part.size:
        return None
    matrix[:, 2] += matrix[:, :2] @ np.array([x0, y0])
    grey = cv2.cvtColor(np.ascontiguousarray(part), cv2.COLOR_RGB2GRAY)
    return np.asarray(
        cv2.warpAffine(grey, matrix, (side, side), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def _follow(pixels: Pixels, known: _Known) -> npt.NDArray[np.float32] | None:
    """Return where a known face is now, shape (4,); ``None`` when nothing nearby looks like it."""
    region = _patch(pixels, known.box, reach=0.5)
    if region is None:
        return None
    match = cv2.matchTemplate(region, known.patch, cv2.TM_CCOEFF_NORMED)
    _, best, _, (x, y) = cv2.minMaxLoc(match)
    if not best >= LEAST_MATCH:
        return None
    size = known.box[2:] - known.box[:2]
    shift = (np.array([x, y], np.float32) / PATCH_PX - 0.5) * size
    return np.asarray(known.box + np.tile(shift, 2), np.float32)
