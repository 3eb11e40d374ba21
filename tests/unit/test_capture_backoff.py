"""Waits between attempts grow, stay bounded, and start over."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.capture.backoff import Backoff


def seeded(seed: int) -> random.Random:
    """Return jitter that repeats."""
    return random.Random(seed)  # noqa: S311  # not for secrets


@given(seed=st.integers(), base=st.floats(0.01, 5.0), factor=st.floats(1.0, 100.0))
def test_every_wait_is_within_its_doubling_bound_and_the_cap(seed: int, base: float, factor: float) -> None:
    """The n-th wait lies in [0, min(cap, base * 2**n)]."""
    waits = itertools.islice(Backoff(base_s=base, cap_s=base * factor, rng=seeded(seed)), 20)

    assert all(0.0 <= wait <= min(base * factor, base * 2**n) for n, wait in enumerate(waits))


def test_the_same_seed_gives_the_same_waits_and_another_gives_others() -> None:
    """Jitter comes from the generator handed in, and from nothing else."""
    first, same, other = (list(itertools.islice(Backoff(rng=seeded(seed)), 8)) for seed in (1, 1, 2))

    assert first == same
    assert first != other


def test_reset_starts_over_at_the_base() -> None:
    """After a success the next wait is short again."""
    backoff = Backoff(base_s=0.5, cap_s=30.0, rng=seeded(3))
    long = max(itertools.islice(backoff, 50))
    backoff.reset()

    assert long > 20.0
    assert next(backoff) <= 0.5


def test_bounds_that_make_no_sense_are_refused() -> None:
    """A base of nothing, or above the cap, is a mistake of the caller."""
    with pytest.raises(ValueError, match="base_s"):
        Backoff(base_s=0.0)
    with pytest.raises(ValueError, match="cap_s"):
        Backoff(base_s=2.0, cap_s=1.0)
