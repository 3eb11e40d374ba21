"""A whole recording in one set of shares."""

import pickle

import pytest

from edge.fusion.evidence import Reliability
from edge.fusion.tally import Tally
from edge.observation import Emotion
from edge.summary import ModalitySummary
from tests.builders import look, sound, sure

SAD, HAPPY = sure(Emotion.SADNESS), sure(Emotion.HAPPINESS)


def test_nothing_is_nothing() -> None:
    """A recording that showed nobody has no shares."""
    tally = Tally()

    assert tally.face == tally.voice == tally.fused(Reliability()) == ModalitySummary(0, None)


def test_every_moment_weighs_the_same() -> None:
    """The first second of a recording counts as much as its last."""
    tally = Tally()
    for step in range(100):
        tally.add_look(look(step / 5, SAD if step < 50 else HAPPY))

    assert tally.face.observations == 100
    assert tally.face.negative_share == pytest.approx(0.5)


def test_the_least_evidence_is_evidence() -> None:
    """A photograph of one face and a single word have shares."""
    tally = Tally()
    tally.add_look(look(0.0, SAD, span_s=0.04))
    tally.add_sound(sound(3, HAPPY, speech_ratio=0.1))

    assert tally.face.shares == SAD
    assert tally.voice.shares == HAPPY


def test_what_cannot_be_read_is_covered_but_not_counted() -> None:
    """A face too small and a window without speech show in coverage only."""
    tally = Tally()
    tally.add_look(look(0.0, SAD, None))
    tally.add_sound(sound(3, None, speech_ratio=0.0))

    assert (tally.face.observations, tally.voice.observations) == (1, 0)
    assert tally.counted.coverage.usable_faces == 0.5
    assert tally.counted.coverage.speech_ratio == 0.0


def test_both_are_joined_by_the_rule_of_the_windows() -> None:
    """Equal person-seconds are shared as the models' reliabilities are."""
    tally = Tally()
    tally.add_look(look(0.0, SAD, span_s=1.0))
    tally.add_sound(sound(3, HAPPY, span_s=1.0))
    fused = tally.fused(Reliability(face=0.6, voice=0.4))

    assert fused.observations == 2
    assert fused.negative_share == pytest.approx(0.6)


def test_a_tally_does_not_grow() -> None:
    """An hour is as large as a minute."""

    def size(looks: int) -> int:
        tally = Tally()
        for step in range(looks):
            tally.add_look(look(step / 5, SAD, HAPPY))
            tally.add_sound(sound(step / 5, SAD))
        return len(pickle.dumps(tally))

    assert size(2000) - size(100) < 64
