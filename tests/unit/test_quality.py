"""Whether a face is good enough to be read."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.vision.quality import Gate, Quality, quality_of
from tests.strategies import few

GATE = Gate()
GOOD = Quality(side_px=48.0, sharpness=0.05, light=0.8, contrast=0.2)
TEXTURE = np.asarray(cv2.resize(np.random.default_rng(3).integers(0, 256, (16, 16), np.uint8), (48, 48)), np.uint8)


def test_a_good_face_passes() -> None:
    """A sharp, lit face of 48 pixels is read, whether its pose is known or not."""
    assert GATE.passes(GOOD)
    assert GATE.passes(GOOD, yaw_deg=-60.0)


@pytest.mark.parametrize(
    "poor",
    [
        replace(GOOD, side_px=17.9),
        replace(GOOD, sharpness=0.0005),
        replace(GOOD, light=0.08),
        replace(GOOD, contrast=0.01),
    ],
)
def test_each_lack_alone_stops_a_face(poor: Quality) -> None:
    """Too small, blurred, dark or flat: not enough evidence."""
    assert not GATE.passes(poor)


@pytest.mark.parametrize("yaw_deg", [-61.0, 75.0])
def test_a_face_that_is_turned_away_is_not_read(yaw_deg: float) -> None:
    """Beyond 60 degrees a half of the face is hidden."""
    assert not GATE.passes(GOOD, yaw_deg)


def test_blur_lowers_sharpness_and_nothing_else() -> None:
    """The wider the blur, the less sharp; light stays."""
    blurred = [quality_of(np.asarray(cv2.GaussianBlur(TEXTURE, (0, 0), s), np.uint8), 48.0) for s in (0.5, 1, 2, 6)]

    sharpness = [quality.sharpness for quality in blurred]
    assert sharpness == sorted(sharpness, reverse=True)
    assert not GATE.passes(blurred[-1])
    assert blurred[0].light == pytest.approx(quality_of(TEXTURE, 48.0).light, abs=0.1)


@few
@given(st.integers(0, 255), st.integers(0, 255))
def test_any_crop_can_be_measured(low: int, high: int) -> None:
    """Black, white, flat or noise: finite figures within their ranges."""
    crop = np.random.default_rng(low).integers(min(low, high), max(low, high) + 1, (48, 48), np.uint8)
    quality = quality_of(crop, 30.0)

    assert 0 <= quality.light <= 1
    assert 0 <= quality.contrast <= 0.51
    assert np.isfinite(quality.sharpness)
