"""Doing less under load."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge.vision.load import EFFORTS, Governor


def run(*busy: float) -> Governor:
    """Return a governor that has seen these looks."""
    governor = Governor()
    for share in busy:
        governor.step(share)
    return governor


def test_scans_are_given_up_before_readings() -> None:
    """Each step down does no more of anything, and readings stay whole until scans are rare."""
    assert [effort.scan_every for effort in EFFORTS] == sorted(effort.scan_every for effort in EFFORTS)
    assert [effort.read_every for effort in EFFORTS] == sorted(effort.read_every for effort in EFFORTS)
    assert EFFORTS[0].scan_every == EFFORTS[0].read_every == 1
    assert all(effort.read_every == 1 or effort.scan_every == EFFORTS[-1].scan_every for effort in EFFORTS)


def test_a_board_that_keeps_up_does_all_of_it() -> None:
    """A single late look is no reason to do less."""
    assert run(*[0.6] * 500, 5.0, *[0.6] * 20).level == 0


def test_a_board_that_cannot_keep_up_does_less_and_less() -> None:
    """Late looks step down to the least, one step at a time."""
    levels = [run(*[1.5] * count).level for count in range(60)]

    assert levels[-1] == len(EFFORTS) - 1
    assert all(after - before in (0, 1) for before, after in pairwise(levels))


def test_all_of_it_is_done_again_when_the_load_is_gone() -> None:
    """An idle board steps back up to full effort."""
    assert run(*[1.5] * 60, *[0.1] * 400).level == 0


@given(st.lists(st.floats(0.45, 0.85), max_size=300))
def test_between_the_limits_nothing_changes(busy: list[float]) -> None:
    """A board that is busy but keeps up stays as it is: no swinging."""
    start = [1.5] * 12
    settled = [0.65] * 30

    assert run(*start, *settled, *busy).level == run(*start, *settled).level
