"""Scanning within a budget."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.vision.detector import Detections
from edge.vision.scan import Scanner
from tests.strategies import few

Pixels = npt.NDArray[np.uint8]
FACE = 40
TEXTURES = [cv2.resize(np.random.default_rng(k).integers(0, 256, (8, 8, 3), np.uint8), (FACE, FACE)) for k in range(12)]


def scene(*places: tuple[int, int], width: int = 640, height: int = 360) -> Pixels:
    """Return a grey frame with a textured square for a face, its left top corner at each place."""
    frame = np.full((height, width, 3), 90, np.uint8)
    for texture, (x, y) in zip(TEXTURES, places, strict=False):
        frame[y : y + FACE, x : x + FACE] = texture
    return frame


class SquareDetector:
    """Finds the textured squares that are whole in what it is shown, and counts the pixels."""

    def __init__(self, places: list[tuple[int, int]]) -> None:
        self.places = places
        self.shown: list[int] = []

    def detect(self, pixels: Pixels) -> Detections:
        """Return the squares by looking for them."""
        self.shown.append(pixels.shape[0] * pixels.shape[1])
        boxes = []
        for texture, _ in zip(TEXTURES, self.places, strict=False):
            if pixels.shape[0] < FACE or pixels.shape[1] < FACE:
                continue
            match = cv2.matchTemplate(pixels, texture, cv2.TM_SQDIFF)
            least, _, (x, y), _ = cv2.minMaxLoc(match)
            if least < 1e5:
                boxes.append((x, y, x + FACE, y + FACE))
        return Detections(np.array(boxes, np.float32).reshape(-1, 4), np.full(len(boxes), 0.9, np.float32))


class Ticks:
    """A timer by which a megapixel takes 100 ms."""

    def __init__(self, detector: SquareDetector) -> None:
        self.detector = detector

    def __call__(self) -> float:
        """Return the seconds spent."""
        return sum(self.detector.shown) / 1e6 * 0.1


def scanner(places: list[tuple[int, int]], budget_ms: float | None) -> tuple[Scanner, SquareDetector]:
    """Return a scanner over a scene's squares."""
    detector = SquareDetector(places)
    return Scanner(detector, budget_ms=budget_ms, timer=Ticks(detector)), detector


def corners(found: Detections) -> list[tuple[int, int]]:
    """Return the left top corners, rounded, in order."""
    return sorted((round(float(box[0])), round(float(box[1]))) for box in found.boxes_xyxy)


PLACES = [(10, 10), (300, 20), (560, 300), (20, 280), (310, 160)]


def test_without_a_budget_the_whole_frame_is_scanned() -> None:
    """Every look is the detector's own."""
    scan, detector = scanner(PLACES, None)

    assert [corners(scan.detect(scene(*PLACES))) for _ in range(3)] == [sorted(PLACES)] * 3
    assert detector.shown == [640 * 360] * 3


def test_a_budget_is_kept_from_the_second_look_on() -> None:
    """A frame of 23 ms is scanned in tiles under a budget of 15 ms, margins aside, and no face is lost meanwhile."""
    scan, detector = scanner(PLACES, 15.0)
    looks = [corners(scan.detect(scene(*PLACES))) for _ in range(8)]

    assert detector.shown[0] == 640 * 360
    assert max(detector.shown[1:]) < 640 * 360 * 0.75
    assert looks == [sorted(PLACES)] * 8


def test_a_face_outside_the_tile_is_followed() -> None:
    """A face that moves by a quarter of its size between two looks is where it went, scanned or not."""
    scan, _ = scanner(PLACES[:2], None)
    scan.detect(scene(*PLACES[:2]))
    moved = [(x + 10, y + 5) for x, y in PLACES[:2]]
    found = corners(scan.detect(scene(*moved), scan=False))

    assert np.abs(np.array(found) - np.array(sorted(moved))).max() <= 1


def test_a_face_that_left_is_not_followed_for_ever() -> None:
    """What no longer looks like the face is gone, even between scans."""
    scan, _ = scanner(PLACES[:2], None)
    scan.detect(scene(*PLACES[:2]))

    assert corners(scan.detect(scene(PLACES[0]), scan=False)) == [PLACES[0]]


def test_a_new_face_is_found_when_its_tile_is_scanned() -> None:
    """Within one round of the tiles every newcomer is seen."""
    scan, detector = scanner(PLACES, 8.0)
    scan.detect(scene())
    found = [corners(scan.detect(scene(*PLACES))) for _ in range(12)]

    assert found[-1] == sorted(PLACES)
    assert len(set(detector.shown[1:])) == 1


@pytest.mark.parametrize("budget_ms", [0.0, -1.0])
def test_a_budget_is_positive(budget_ms: float) -> None:
    """A scanner that may never look can't be made."""
    with pytest.raises(ValueError, match="budget_ms must be positive"):
        scanner([], budget_ms)


@few
@given(st.integers(1, 200), st.integers(1, 200), st.floats(0.5, 20.0))
def test_any_size_and_budget_makes_tiles_inside_the_frame(width: int, height: int, budget_ms: float) -> None:
    """From one pixel on, tiles lie inside the frame and a look never raises."""
    scan, detector = scanner([], budget_ms)
    for _ in range(4):
        scan.detect(np.zeros((height, width, 3), np.uint8))

    assert 0 < max(detector.shown) <= width * height
