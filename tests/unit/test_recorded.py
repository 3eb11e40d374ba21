"""What a whole recording may tell."""

from datetime import date

import pytest

from edge.config import check_settings
from edge.fusion.tally import Tally
from edge.observation import Emotion
from edge.privacy.policy import Mode
from edge.recorded import FileOptions, told
from tests.builders import look, sound, sure

SAD = sure(Emotion.SADNESS)
LEAST = {"sources": [{"name": "a", "kind": "camera"}]}
DECIDED = {
    "mode": "emotion",
    "jurisdiction": "CH",
    "purpose": "research",
    "responsible": "A. Person",
    "decided_on": date(2026, 2, 1),
}


def tally(faces: int, readable: int) -> Tally:
    """Return ten seconds of a class of *faces*, of which *readable* can be read, and somebody who speaks."""
    counted = Tally()
    for n in range(50):
        counted.add_look(look(n / 5, *[SAD] * readable, *[None] * (faces - readable)))
    for n in range(3, 10):
        counted.add_sound(sound(float(n), SAD))
    return counted


@pytest.mark.parametrize(("faces", "readable"), [(1, 1), (4, 4)])
def test_nothing_is_told_of_few_people(faces: int, readable: int) -> None:
    """Below the limit there are no shares, no speech and no faces, whatever was heard."""
    found = told(tally(faces, readable), 5)

    assert (found.face.shares, found.voice.shares) == (None, None)
    assert (found.counted.looks, found.counted.sounds) == (0, 0)


def test_few_readable_faces_in_a_full_class_are_not_told() -> None:
    """Twelve in view of whom one can be read: the faces' shares are that child's, the voices stay the class's."""
    found = told(tally(12, 1), 5)

    assert found.face.shares is None
    assert found.voice.shares is not None
    assert found.counted.coverage.people == 12


def test_a_class_is_told() -> None:
    """Twelve readable faces are a class."""
    whole = tally(12, 12)

    assert told(whole, 5) is whole


def test_without_a_decision_only_what_is_lawful_everywhere_is_worked_out() -> None:
    """No settings: no emotion model, and small groups withheld; consent: all of it."""
    undecided = FileOptions.of(None, agreed=False, threads=1)
    agreed = FileOptions.of(None, agreed=True, threads=1)

    assert not undecided.stages.emotions
    assert undecided.policy is not None
    assert undecided.policy.mode is Mode.OBSERVABLE
    assert agreed.stages.emotions
    assert agreed.policy is None


def test_recordings_wait_for_every_look() -> None:
    """Under a service's settings the decision holds, but nothing depends on how fast the machine is."""
    settings = check_settings({**LEAST, "privacy": DECIDED}, where="edge.toml")
    options = FileOptions.of(settings, agreed=False, threads=1)

    assert options.stages.emotions
    assert not options.stages.adapt
    assert options.stages.scan_budget_ms is None
    assert options.policy is not None
    assert options.policy.mode is Mode.EMOTION
