"""Series whose neighbours are alike, and how sure their correlation is."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.fusion.serial import (
    LEAST_WINDOWS,
    Correlation,
    Floats,
    autocorrelations,
    clearly_stronger,
    correlate,
    effective_size,
    errors_for,
)

FREE = np.zeros(0)
series = st.lists(st.floats(-1, 1), min_size=LEAST_WINDOWS, max_size=80).map(np.array)


def drifting(rng: np.random.Generator, count: int, keep: float) -> Floats:
    """Return a series that keeps a share of itself from one value to the next, of variance 1."""
    values = np.zeros(count + 200)
    for step, shock in enumerate(rng.standard_normal(count + 199), 1):
        values[step] = keep * values[step - 1] + math.sqrt(1 - keep**2) * shock
    return values[200:]


def product(one: Floats, other: Floats) -> Floats:
    """Return the product of the autocorrelations, as far as both are positive."""
    first, second = autocorrelations(one), autocorrelations(other)
    steps = min(len(first), len(second))
    return np.array(first[:steps] * second[:steps])


def test_autocorrelations_are_those_of_the_process() -> None:
    """A process that keeps 0.8 of itself is 0.8, 0.64 … like itself."""
    found = autocorrelations(drifting(np.random.default_rng(0), 20_000, 0.8))

    assert found[:4] == pytest.approx([0.8, 0.64, 0.512, 0.41], abs=0.03)


def test_holes_do_not_change_the_autocorrelation() -> None:
    """Only neighbours that are both there are compared."""
    rng = np.random.default_rng(1)
    values = drifting(rng, 20_000, 0.8)
    values[rng.random(20_000) < 0.4] = np.nan

    assert autocorrelations(values)[:2] == pytest.approx([0.8, 0.64], abs=0.03)


@pytest.mark.parametrize("values", [[], [math.nan] * 40, [0.3] * 40, [0.0, 1.0] * 20])
def test_series_without_likeness_have_none(values: list[float]) -> None:
    """Empty, unknown, constant, or jumping back and forth."""
    assert len(autocorrelations(np.array(values))) == 0


def test_independent_windows_count_in_full() -> None:
    """And windows that are alike count for less, by (1 - r²) / (1 + r²) for two series that keep r."""
    keep = np.array(0.9 ** (2 * np.arange(1, 200)), np.float64)

    assert effective_size(1000, FREE) == 1000
    assert effective_size(100_000, keep) == pytest.approx(100_000 * 0.19 / 1.81, rel=1e-3)


def test_a_flicker_does_not_hide_a_slow_drift() -> None:
    """Half of each value is noise of its own: step one looks nearly free, the sum over all steps does not."""
    slow = np.array(0.5 * 0.97 ** np.arange(1, 200), np.float64)

    assert effective_size(1000, slow) < 1000 * (1 - 0.485) / (1 + 0.485) / 5


@given(one=series, other=series)
def test_a_correlation_lies_in_its_interval(one: Floats, other: Floats) -> None:
    """Both in [-1, 1], and the same whichever series comes first."""
    size = min(len(one), len(other))
    found = correlate(one[:size], other[:size], product(one[:size], other[:size]))
    again = correlate(other[:size], one[:size], product(one[:size], other[:size]))

    assert (found is None) == (again is None)
    if found is not None and again is not None:
        assert -1 <= found.low <= found.r <= found.high <= 1
        assert -1 <= found.rank <= 1
        assert 3 < found.effective <= found.windows == size
        assert found.r == pytest.approx(again.r)


def test_ranks_are_not_fooled_by_a_curve() -> None:
    """Spearman's is 1 for any rising relation, ties included; Pearson's is not."""
    values = np.repeat(np.arange(20.0), 2)
    found = correlate(values, np.exp(values), FREE)

    assert found is not None
    assert found.rank == pytest.approx(1.0)
    assert found.r < 0.8


def test_equal_values_share_their_rank() -> None:
    """So that the other way round is exactly the opposite, ties of any size included."""
    values = np.repeat(np.arange(5.0), [1, 20, 2, 7, 10])
    found = correlate(values, -values, FREE)

    assert found is not None
    assert found.rank == pytest.approx(-1.0)


def test_too_little_is_not_compared() -> None:
    """Too few common windows, a constant series, or windows that all say the same."""
    values = np.random.default_rng(2).standard_normal(60)
    half = np.where(np.arange(60) < 40, values, np.nan)

    assert correlate(half, half[::-1].copy(), FREE) is None
    assert correlate(values, np.full(60, 0.3), FREE) is None
    assert correlate(values, values, np.full(15, 0.99)) is None
    assert correlate(values, values, FREE) is not None


@pytest.mark.parametrize("keep", [0.0, 0.8, 0.95])
def test_intervals_of_unrelated_series_hold_zero(keep: float) -> None:
    """About 95 of 100, however slowly the series drift; an interval that ignores it fails more than half the time."""
    rng = np.random.default_rng(3)
    held = naive = 0
    for _ in range(200):
        one, other = drifting(rng, 600, keep), drifting(rng, 600, keep)
        found, short = correlate(one, other, product(one, other)), correlate(one, other, FREE)
        assert found is not None
        assert short is not None
        held += found.low <= 0 <= found.high
        naive += short.low <= 0 <= short.high

    assert held >= 182
    assert keep < 0.9 or naive < 110


def test_one_that_is_hardly_stronger_is_not_clearly_so() -> None:
    """The same difference is clear between shifts that are unlike, and stronger evidence makes it clearer."""
    weak, sure = Correlation(0.5, 0.3, 0.7, 0.5, 400, 60), Correlation(0.5, 0.4, 0.6, 0.5, 4000, 600)

    assert not clearly_stronger(0.55, weak, alike=0.5, errors=1.96)
    assert not clearly_stronger(0.6, weak, alike=0.5, errors=1.96)
    assert clearly_stronger(0.6, sure, alike=0.5, errors=1.96)
    assert clearly_stronger(-0.6, sure, alike=0.5, errors=1.96)
    assert not clearly_stronger(-0.5, sure, alike=0.5, errors=1.96)
    assert not clearly_stronger(0.501, sure, alike=1.0, errors=1.96)


def test_many_intervals_at_once_are_wider() -> None:
    """1.96 standard errors for one, more for more."""
    assert errors_for(0.2) == errors_for(1) == pytest.approx(1.96, abs=1e-3)
    assert errors_for(20) > 3
