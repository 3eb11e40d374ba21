"""How many independent cases stand behind a share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.fusion.clusters import Clusters, Utterances, effective
from edge.observation import Emotion
from tests.builders import sound, sure

SAD = sure(Emotion.SADNESS)

weights = st.lists(st.floats(0.01, 100), min_size=1, max_size=30)


def of(*each: float) -> Clusters:
    """Return clusters of these weights."""
    clusters = Clusters()
    for number, weight in enumerate(each):
        clusters.add(number, weight)
    return clusters


def test_nothing_has_no_cases() -> None:
    """Zero, and no division by it."""
    assert Clusters().effective == effective(0.0, 0.0) == 0.0


def test_equal_clusters_count_one_each() -> None:
    """Twelve faces seen for as long are twelve people."""
    assert of(*[2.5] * 12).effective == pytest.approx(12.0)


def test_one_that_outweighs_all_is_one() -> None:
    """A face seen throughout and eleven glimpses are little more than one person."""
    assert 1.0 < of(100.0, *[0.1] * 11).effective < 1.1


@given(each=weights)
def test_there_are_never_more_cases_than_clusters(each: list[float]) -> None:
    """Kish's number lies between one and the count of clusters."""
    assert 1.0 <= of(*each).effective <= len(each) * (1 + 1e-9)


@given(each=weights, pieces=st.integers(1, 20))
def test_the_pieces_of_a_cluster_do_not_count(each: list[float], pieces: int) -> None:
    """Looked at once or twenty times, a face is one."""
    broken = Clusters()
    for number, weight in enumerate(each):
        for _ in range(pieces):
            broken.add(number, weight / pieces)

    assert broken.effective == pytest.approx(of(*each).effective)


@given(each=weights, over=st.sets(st.integers(0, 30)))
def test_what_is_retired_still_counts(each: list[float], over: set[int]) -> None:
    """Letting clusters go frees memory and changes no number; an unknown one is none."""
    clusters = of(*each)
    before = clusters.effective
    for number in over:
        clusters.retire(number)

    assert clusters.effective == pytest.approx(before)
    assert len(clusters.weights) == len(set(range(len(each))) - over)


def test_there_are_no_more_people_than_were_seen_at_once() -> None:
    """Ten tracks one after another in front of a camera that never saw more than two are two people."""
    clusters = of(*[1.0] * 10)
    for seen in (1, 2, 0):
        clusters.saw("cam", seen)

    assert clusters.effective == pytest.approx(2.0)


def test_cameras_see_different_people() -> None:
    """What two cameras saw at once adds up."""
    clusters = of(*[1.0] * 10)
    clusters.saw("left", 3)
    clusters.saw("right", 4)

    assert clusters.effective == pytest.approx(7.0)


def test_a_windows_length_of_speech_is_one_utterance() -> None:
    """Three windows of a second's hop that are all speech are one cluster, and the fourth begins another."""
    utterances = Utterances()
    found = [utterances.cluster(sound(3.0 + n, SAD), 1.0) for n in range(7)]

    assert found == [("mic", number) for number in (0, 0, 0, 1, 1, 1, 2)]


def test_sparse_speech_lasts_longer() -> None:
    """Six half seconds of speech are one utterance as well."""
    utterances = Utterances()

    assert {utterances.cluster(sound(3.0 + n, SAD), 0.5)[1] for n in range(6)} == {0}
    assert utterances.cluster(sound(9.0, SAD), 0.5)[1] == 1


def test_each_microphone_has_its_own_utterances() -> None:
    """Two microphones do not share a cluster."""
    utterances = Utterances()
    left, right = (utterances.cluster(sound(3.0, SAD, source=source), 1.0) for source in ("left", "right"))

    assert left != right
