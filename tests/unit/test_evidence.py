"""How much was seen and heard, and the one rule that joins both."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.fusion.evidence import (
    Evidence,
    Reliability,
    certainty,
    face_seconds,
    fuse,
    look_evidence,
    voice_seconds,
)
from edge.observation import NEGATIVE, Emotion, EmotionDistribution
from edge.summary import ModalitySummary
from tests.builders import face, look, sound, sure
from tests.strategies import distributions, few

SAD, HAPPY, EVEN = sure(Emotion.SADNESS), sure(Emotion.HAPPINESS), sure(Emotion.ANGER, 1 / 7)
TRUST = Reliability(face=0.8, voice=0.5)
NOTHING = Evidence()

readings = st.lists(st.tuples(distributions, st.floats(0.01, 5)), max_size=6)


def of(*parts: tuple[EmotionDistribution, float]) -> Evidence:
    """Return evidence of readings that each stand for so many seconds."""
    evidence = Evidence()
    for reading, seconds in parts:
        evidence.add(reading, seconds)
    return evidence


def test_certainty_is_one_for_a_sure_reading_and_zero_for_an_even_one() -> None:
    """The ends of the scale."""
    assert certainty(np.array(SAD.probabilities)) == 1.0
    assert certainty(np.array(EVEN.probabilities)) == pytest.approx(0, abs=1e-12)


@given(reading=distributions)
def test_certainty_is_a_share(reading: EmotionDistribution) -> None:
    """Any reading's certainty is in [0, 1] and never NaN, zeros included."""
    assert 0 <= certainty(np.array(reading.probabilities)) <= 1


def test_a_look_at_a_face_stands_for_its_span() -> None:
    """Person-seconds, whatever the rate of looks."""
    assert face_seconds(face(0, SAD, span_s=0.2)) == pytest.approx(0.2)


def test_a_window_of_sound_stands_for_the_speech_in_its_hop() -> None:
    """Silence says nothing, so only the share of speech counts."""
    assert voice_seconds(sound(3, SAD, span_s=1.0, speech_ratio=0.4)) == pytest.approx(0.4)


def test_no_evidence_has_no_shares() -> None:
    """None, and never neutral or even."""
    assert Evidence().summary(0.0) == ModalitySummary(0, None)
    assert fuse(NOTHING, NOTHING, reliability=TRUST, least_s=0.0) == ModalitySummary(0, None)


def test_too_little_evidence_has_no_shares_but_its_readings_are_counted() -> None:
    """Below the least person-seconds nothing is said; at them it is."""
    evidence = of((SAD, 0.25), (SAD, 0.25))

    assert evidence.summary(0.51) == ModalitySummary(2, None)
    assert evidence.summary(0.5) == ModalitySummary(2, SAD, effective=2.0)


def test_a_reading_that_stands_for_no_time_is_counted_and_weighs_nothing() -> None:
    """Speech of length 0 has been read, and moves no share."""
    evidence = of((SAD, 1.0), (HAPPY, 0.0))

    assert evidence.summary(0.0) == ModalitySummary(2, SAD, effective=1.0)
    assert of((HAPPY, 0.0)).summary(0.0) == ModalitySummary(1, None)
    # Its square is rounded to nothing, and it is still one person.
    assert of((HAPPY, 1e-200)).summary(0.0) == ModalitySummary(1, HAPPY, effective=1.0)
    # So short that its shares are rounded to nothing.
    assert of((EVEN, 5e-324)).summary(0.0) == ModalitySummary(1, None)


def test_shares_are_person_seconds_and_not_detections() -> None:
    """One face looked at ten times a second says as much as one looked at five times."""
    evidence = of(*[(SAD, 0.1)] * 10, *[(HAPPY, 0.2)] * 5)
    shares = evidence.summary(0.0).shares

    assert shares is not None
    assert shares.shares()[Emotion.SADNESS] == pytest.approx(0.5)


@few
@given(face_parts=readings, voice_parts=readings)
def test_fusion_gives_a_distribution_between_its_two(
    face_parts: list[tuple[EmotionDistribution, float]], voice_parts: list[tuple[EmotionDistribution, float]]
) -> None:
    """Shares sum to 1, and each lies between what was seen and what was heard."""
    seen, heard = of(*face_parts), of(*voice_parts)
    fused = fuse(seen, heard, reliability=TRUST, least_s=0.0)
    both = [s.probabilities for e in (seen, heard) if (s := e.summary(0.0).shares) is not None]

    assert fused.observations == len(face_parts) + len(voice_parts)
    assert (fused.shares is None) == (not both)
    if fused.shares is not None:
        assert math.isclose(sum(fused.shares.probabilities), 1, abs_tol=1e-6)
        for value, *given_values in zip(fused.shares.probabilities, *both, strict=True):
            assert min(given_values) - 1e-9 <= value <= max(given_values) + 1e-9


@few
@given(parts=readings.filter(bool))
def test_a_modality_alone_is_the_fusion(parts: list[tuple[EmotionDistribution, float]]) -> None:
    """With the other gone, the one that is left is all there is."""
    one = of(*parts)
    alone = one.summary(0.0).shares

    assert alone is not None
    for fused in (
        fuse(one, NOTHING, reliability=TRUST, least_s=0.0),
        fuse(NOTHING, one, reliability=TRUST, least_s=0.0),
    ):
        assert fused.shares is not None
        assert fused.shares.probabilities == pytest.approx(alone.probabilities, abs=1e-9)


def test_a_modality_with_too_little_evidence_has_no_say() -> None:
    """Half a second of speech does not move twelve faces, and its readings are still counted."""
    fused = fuse(of((SAD, 20.0)), of((HAPPY, 0.5)), reliability=TRUST, least_s=1.0)

    assert fused == ModalitySummary(2, SAD, effective=1.0)


def test_each_counts_by_its_person_seconds_and_its_models_reliability() -> None:
    """Equal seconds of sure readings are shared as the two reliabilities are."""
    fused = fuse(of((SAD, 2.0)), of((HAPPY, 2.0)), reliability=TRUST, least_s=0.0)

    assert fused.shares is not None
    assert fused.shares.shares()[Emotion.SADNESS] == pytest.approx(0.8 / 1.3)
    assert fused.effective == pytest.approx(1.3**2 / (0.8**2 + 0.5**2))


def test_twelve_faces_outweigh_one_speaker() -> None:
    """A sad class with one happy voice is a sad class."""
    fused = fuse(of(*[(SAD, 10.0)] * 12), of((HAPPY, 10.0)), reliability=TRUST, least_s=1.0)

    assert fused.negative_share is not None
    assert fused.negative_share > 0.9


def test_unsure_readings_weigh_less() -> None:
    """Faces that could be anything leave the say to a voice that is sure."""
    fused = fuse(of((EVEN, 2.0)), of((HAPPY, 2.0)), reliability=TRUST, least_s=0.0)

    assert fused.shares is not None
    assert fused.shares.shares()[Emotion.HAPPINESS] > 0.95


def test_only_unsure_readings_are_still_evidence() -> None:
    """An even reading is what was seen, and comes out as even rather than as nothing."""
    fused = fuse(of((EVEN, 2.0)), NOTHING, reliability=TRUST, least_s=0.0)

    assert fused.shares is not None
    assert fused.shares.negative_share == pytest.approx(len(NEGATIVE) / len(Emotion))


def test_looks_at_the_same_faces_are_not_more_people() -> None:
    """Three faces looked at fifty times stand for three independent people."""
    evidence = Evidence()
    for step in range(50):
        evidence.merge(look_evidence(look(step / 5, SAD, SAD, HAPPY)))

    assert evidence.observations == 150
    assert evidence.summary(0.0).effective == pytest.approx(3.0)


def test_a_track_that_breaks_is_no_new_person() -> None:
    """One face that gets a new number every second is still one: no look ever showed two."""
    evidence = Evidence()
    for step in range(50):
        seen = look(step / 5, SAD)
        evidence.merge(look_evidence(replace(seen, faces=(replace(seen.faces[0], track_id=step // 5),))))

    assert evidence.summary(0.0).effective == pytest.approx(1.0)


def test_a_face_that_cannot_be_read_is_no_evidence() -> None:
    """It is neither a reading nor a person behind the shares."""
    said = look_evidence(look(0.0, SAD, None)).summary(0.0)

    assert said == ModalitySummary(1, SAD, effective=1.0)


@few
@given(parts=readings.filter(bool), factor=st.floats(0.01, 1))
def test_a_merge_adds_what_was_added_alone(parts: list[tuple[EmotionDistribution, float]], factor: float) -> None:
    """Reading a look once and weighting it afterwards is the same as weighting each reading."""
    merged, direct = Evidence(), Evidence()
    one = Evidence()
    for number, (reading, seconds) in enumerate(parts):
        # Every third stands alone.
        one.add(reading, seconds, number % 3 or None)
        direct.add(reading, factor * seconds, number % 3 or None)
    merged.merge(one, factor)
    found, expected = merged.summary(0.0), direct.summary(0.0)

    assert found.shares is not None
    assert expected.shares is not None
    assert found.shares.probabilities == pytest.approx(expected.shares.probabilities, abs=1e-9)
    assert found.effective == pytest.approx(expected.effective)


@few
@given(face_parts=readings.filter(bool), voice_parts=readings.filter(bool))
def test_the_fusion_stands_for_no_more_than_both(
    face_parts: list[tuple[EmotionDistribution, float]], voice_parts: list[tuple[EmotionDistribution, float]]
) -> None:
    """Unequal weights cost independence: at least one, at most the sum of the two."""
    seen, heard = of(*face_parts), of(*voice_parts)
    fused = fuse(seen, heard, reliability=TRUST, least_s=0.0)

    assert 1.0 <= fused.effective <= (seen.summary(0.0).effective + heard.summary(0.0).effective) * (1 + 1e-9)


def test_the_interval_narrows_with_people_and_not_with_looks() -> None:
    """Twelve people say more than three, and a camera twice as fast says no more."""

    def width(people: int, rate_hz: int) -> float:
        evidence = Evidence()
        for step in range(10 * rate_hz):
            evidence.merge(look_evidence(look(step / rate_hz, *[SAD, HAPPY, HAPPY] * people, span_s=1 / rate_hz)))
        said = evidence.summary(0.0)
        interval = said.interval(1 / 3)
        assert interval is not None
        return interval[1] - interval[0]

    assert width(4, 5) < width(1, 5)
    assert width(1, 10) == pytest.approx(width(1, 5))
