"""Where heads point and how much they move."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.fusion.attention import Heads, to_the_front, weighted_median
from edge.fusion.coverage import Look
from edge.observation import HeadPose
from tests.builders import SECOND, face
from tests.strategies import few

FRONT, AWAY = HeadPose(0.0, 0.0, 0.0), HeadPose(60.0, 0.0, 0.0)


def posed(at_s: float, *heads: tuple[HeadPose | None, float | None], span_s: float = 0.2, source: str = "cam") -> Look:
    """Return a look at faces of these poses and motions, none of them with an emotion."""
    seen = (
        replace(face(at_s, None, span_s=span_s, source=source, track_id=number), pose=pose, motion=motion)
        for number, (pose, motion) in enumerate(heads)
    )
    plain = face(at_s, None, source=source)
    return Look(plain.captured_ns, source, plain.role, tuple(seen))


def of(*looks: Look) -> Heads:
    """Return them all, each weighing 1."""
    heads = Heads()
    for look in looks:
        heads.add(look)
    return heads


@pytest.mark.parametrize(
    ("yaw", "pitch", "expected"),
    [
        (0, 0, True),
        (30, 0, True),
        (-30, 0, True),
        (31, 0, False),
        (-31, 0, False),
        (0, 20, True),
        (0, 21, False),
        (0, -25, True),
        (0, -26, False),
    ],
)
def test_the_front_is_a_window_around_the_camera(yaw: float, pitch: float, expected: bool) -> None:  # noqa: FBT001
    """Thirty degrees aside, twenty up and twenty-five down still count; the tilt of the head does not matter."""
    assert to_the_front(HeadPose(yaw, pitch, 0.0)) is expected
    assert to_the_front(HeadPose(yaw, pitch, 40.0)) is expected


def test_nothing_seen_is_none() -> None:
    """Without poses and motions there is no attention and no movement: not 0, and nobody behind it."""
    heads = of(posed(0.0, (None, None), (None, None)), posed(0.2))

    assert heads.attention(0.0) == (None, 0.0)
    assert heads.movement(0.0) == (None, 0.0)


def test_too_little_is_none() -> None:
    """Under the least person-seconds nothing is told."""
    heads = of(posed(0.0, (FRONT, 0.1), span_s=0.5))

    assert heads.attention(0.6) == heads.movement(0.6) == (None, 0.0)
    assert heads.attention(0.5) == (1.0, 1.0)
    assert heads.movement(0.5)[0] == pytest.approx(0.1)


def test_attention_is_a_share_of_person_time() -> None:
    """Three heads of four to the front are three quarters, from four people."""
    heads = of(*(posed(n / 5, (FRONT, None), (FRONT, None), (FRONT, None), (AWAY, None)) for n in range(20)))
    share, people = heads.attention(1.0)

    assert share == pytest.approx(0.75)
    assert people == pytest.approx(4.0)


def test_heads_without_a_pose_are_no_evidence() -> None:
    """A face too small to tell is neither to the front nor away."""
    assert of(posed(0.0, (FRONT, None), (None, 0.3))).attention(0.0) == (1.0, 1.0)


def test_a_fast_camera_does_not_outvote_a_slow_one() -> None:
    """Person-time counts, and not looks."""
    heads = of(
        *(posed(n / 10, (FRONT, None), span_s=0.1, source="fast") for n in range(100)),
        *(posed(n / 2, (AWAY, None), span_s=0.5, source="slow") for n in range(20)),
    )

    assert heads.attention(0.0)[0] == pytest.approx(0.5)


def test_one_who_walks_does_not_move_the_class() -> None:
    """The middle face counts: eleven who sit and one who runs are still."""
    heads = of(*(posed(n / 5, *[(None, 0.1)] * 11, (None, 9.0)) for n in range(20)))
    motion, people = heads.movement(0.0)

    assert motion == pytest.approx(0.1)
    assert people == pytest.approx(12.0)


def test_a_faces_motion_is_its_mean() -> None:
    """A face that is still for one look and moves in the next moved half as much."""
    assert of(posed(0.0, (None, 0.0)), posed(0.2, (None, 0.4))).movement(0.0)[0] == pytest.approx(0.2)


def test_a_weight_of_nothing_changes_nothing() -> None:
    """A look that is as old as the window is heard of, and has no say."""
    heads = of(posed(0.0, (FRONT, 0.1)))
    heads.add(posed(0.0, (AWAY, 5.0), source="old"), weight=0.0)

    assert heads.attention(0.0)[0] == 1.0
    assert heads.movement(0.0)[0] == pytest.approx(0.1)


@given(values=st.lists(st.tuples(st.floats(-10, 10), st.integers(1, 5)), min_size=1, max_size=20), seed=st.randoms())
def test_the_median_is_that_of_repeated_values(values: list[tuple[float, int]], seed: object) -> None:
    """A weight of three is the value three times; the order does not matter."""
    repeated = sorted(value for value, times in values for _ in range(times))
    seed.shuffle(values)  # type: ignore[attr-defined]

    assert weighted_median(values) == repeated[(len(repeated) - 1) // 2]


@few
@given(
    heads=st.lists(
        st.tuples(st.builds(HeadPose, st.floats(-90, 90), st.floats(-90, 90), st.just(0.0)), st.floats(0, 5)),
        min_size=1,
        max_size=8,
    )
)
def test_values_stay_in_their_range(heads: list[tuple[HeadPose, float]]) -> None:
    """A share is a share, a median is one of the faces', and there are no more people than faces."""
    found = of(*(posed(n / 5, *heads) for n in range(5)))
    share, people = found.attention(0.0)
    motion, moving = found.movement(0.0)

    assert share is not None
    assert 0.0 <= share <= 1.0
    assert motion is not None
    assert min(m for _, m in heads) - 1e-9 <= motion <= max(m for _, m in heads) + 1e-9
    assert 1.0 <= people <= len(heads) + 1e-6
    assert 1.0 <= moving <= len(heads) + 1e-6
    assert posed(1.0).at_ns == SECOND
