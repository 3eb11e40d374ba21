"""What may leave the box."""

import dataclasses
from datetime import datetime, timedelta

import pytest

from edge import summary as module
from edge.observation import Emotion
from edge.summary import ModalitySummary
from tests.builders import EPOCH, summary, sure


def test_no_evidence_has_no_negative_share() -> None:
    """None stays None and never becomes 0."""
    assert ModalitySummary(0, None).negative_share is None
    assert ModalitySummary(3, sure(Emotion.SADNESS)).negative_share == 1.0


def test_the_times_of_a_window_carry_their_zone() -> None:
    """A time without a zone means another instant on every box."""
    naive = datetime(2026, 3, 2, 8, 0)  # noqa: DTZ001 - the fault that is tested
    with pytest.raises(ValueError, match="timezone-aware"):
        dataclasses.replace(summary(10, 0.5), opened_at=naive)
    with pytest.raises(ValueError, match="timezone-aware"):
        dataclasses.replace(summary(10, 0.5), closed_at=naive)


@pytest.mark.parametrize("seconds", [0, -1])
def test_a_window_closes_after_it_opens(seconds: int) -> None:
    """A window of no length cannot be made."""
    with pytest.raises(ValueError, match="closed_at must be after opened_at"):
        dataclasses.replace(summary(10, 0.5), opened_at=EPOCH, closed_at=EPOCH + timedelta(seconds=seconds))


def test_nothing_that_leaves_the_box_can_hold_media_or_a_person() -> None:
    """No field of any summary, alert or health report is an array, bytes, a box or a track."""
    classes = [c for c in vars(module).values() if dataclasses.is_dataclass(c)]
    fields = [(f.name, str(f.type)) for c in classes for f in dataclasses.fields(c)]

    assert len(fields) > 40
    for name, kind in fields:
        assert not {"array", "bytes", "Frame", "Audio"} & set(kind.replace("[", " ").replace("]", " ").split()), name
        assert name not in {"track_id", "box_xyxy", "pixels", "samples", "faces"}
