"""A whole recording in one set of shares."""

import pickle
from dataclasses import replace

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


def passing(looks: int, *, each: int = 5) -> Tally:
    """Return a tally of two faces at a time, of which none stays longer than *each* looks."""
    tally = Tally()
    for step in range(looks):
        seen = look(step / 5, SAD, HAPPY)
        faces = tuple(replace(face, track_id=2 * (step // each) + n) for n, face in enumerate(seen.faces))
        tally.add_look(replace(seen, faces=faces))
    return tally


def test_a_tally_does_not_grow_with_the_faces_that_pass() -> None:
    """Of a face that is over only a square is left, however many there were."""
    # A byte or two for each larger number, and none for each of the 2,400 faces.
    assert len(pickle.dumps(passing(6000))) - len(pickle.dumps(passing(300))) < 200


def test_tracks_that_are_over_still_count() -> None:
    """What was let go stands in the sum of squares: three pairs of faces are six clusters, of two people at a time."""
    tally = passing(900, each=300)
    clusters = tally.face_evidence.clusters

    assert clusters.total**2 / (clusters.retired + sum(w**2 for w in clusters.weights.values())) == pytest.approx(6.0)
    assert len(clusters.weights) == 2
    assert tally.face.effective == pytest.approx(2.0)


def test_a_whole_recording_rests_on_people_and_utterances() -> None:
    """Two faces throughout are two; thirty seconds of speech are ten utterances of three."""
    tally = Tally()
    for step in range(150):
        tally.add_look(look(step / 5, SAD, HAPPY))
    for second in range(30):
        tally.add_sound(sound(second + 1.0, SAD))

    assert tally.face.effective == pytest.approx(2.0)
    assert tally.voice.effective == pytest.approx(10.0)
    assert 2.0 < tally.fused(Reliability()).effective < 12.0
    assert tally.counted.coverage.face_s == pytest.approx(60.0)
    assert tally.counted.coverage.voice_s == pytest.approx(30.0)
