"""Series whose neighbours are alike: how far two move together, and how sure that is.

Windows overlap and moods last, so neighbouring windows say nearly the same. Every interval here counts the windows that
would say as much if each stood alone (Bretherton et al., 1999, *Journal of Climate* 12, equations 30 and 31).
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

LEAST_WINDOWS = 30
"""Series with fewer common windows are not compared."""

Floats = npt.NDArray[np.float64]

Z95 = NormalDist().inv_cdf(0.975)
"""Standard errors on either side of a 95 % interval."""

_LEAST_EFFECTIVE = 5.0  # The standard error of an arc tangent needs more than 3.
_FLAT = 1e-9
_MOST_ALIKE = 0.99  # So that a series that repeats itself still leaves an error.


@dataclass(frozen=True, slots=True)
class Correlation:
    """How far two series move together."""

    r: float
    """Pearson's, in [-1, 1]."""

    low: float
    """Lower end of its 95 % interval (Fisher's transform over *effective* cases)."""

    high: float
    """Upper end of it."""

    rank: float
    """Spearman's, in [-1, 1]; far from *r* where a few extreme windows decide."""

    windows: int
    """With a value of both series."""

    effective: float
    """Independent windows that would say as much."""


def autocorrelations(series: Floats) -> Floats:
    """Return a series' correlation with itself one, two … steps later, up to the first that isn't positive.

    Args:
        series: Shape (n,); NaN without evidence.

    Returns:
        Each in (0, 1], shape (at most n / 4,).
    """
    known = np.isfinite(series)
    if not known.any():
        return np.zeros(0)
    away = np.where(known, series - series[known].mean(), 0.0)
    power = float((away**2).sum() / known.sum())
    found: list[float] = []
    for step in range(1, len(series) // 4 + 1):
        pairs = int((known[:-step] & known[step:]).sum())
        value = float((away[:-step] * away[step:]).sum()) / pairs / power if pairs and power > _FLAT**2 else 0.0
        if value <= 0:
            break
        found.append(min(value, 1.0))
    return np.array(found)


def effective_size(count: int, product: Floats) -> float:
    """Return how many independent windows would say as much as *count* that depend on each other.

    The smaller of the sum over all steps (equation 30) and the short form of step one alone (31): a quick flicker on
    top of a slow drift deceives the short form.

    Args:
        count: Windows, at least 1.
        product: Of the two series' autocorrelations, as far as both are positive, shape (steps,); for the mean of one
            series its autocorrelations themselves.
    """
    if not len(product):
        return float(count)
    steps = np.arange(1, len(product) + 1)
    long_form = count / (1 + 2 * float((np.clip(1 - steps / count, 0, None) * product).sum()))
    short_form = count * (1 - float(product[0])) / (1 + float(product[0]))
    return min(long_form, short_form)


def correlate(ours: Floats, theirs: Floats, product: Floats, *, errors: float = Z95) -> Correlation | None:
    """Return how far two series move together.

    Args:
        ours: Shape (n,); NaN without evidence.
        theirs: The same.
        product: Of their autocorrelations, see :func:`effective_size`.
        errors: Standard errors on either side of the interval.

    Returns:
        ``None`` with fewer than :data:`LEAST_WINDOWS` common windows, when those say too little, or when a series
        never moves.
    """
    both = np.isfinite(ours) & np.isfinite(theirs)
    x, y, count = ours[both], theirs[both], int(both.sum())
    if count < LEAST_WINDOWS or np.ptp(x) < _FLAT or np.ptp(y) < _FLAT:
        return None
    effective = effective_size(count, product)
    if effective < _LEAST_EFFECTIVE:
        return None
    r, half = _pearson(x, y), errors / math.sqrt(effective - 3)
    low, high = min(r, math.tanh(_atanh(r) - half)), max(r, math.tanh(_atanh(r) + half))
    return Correlation(r, low, high, _pearson(_ranks(x), _ranks(y)), count, effective)


def clearly_stronger(peak_r: float, at_once: Correlation, *, alike: float, errors: float) -> bool:
    """Whether the correlation of a shifted series is clearly further from 0 than that of the unshifted one.

    The two are of the same data, so their difference varies less the more they are alike (Meng, Rosenthal & Rubin,
    1992, *Psychological Bulletin* 111).

    Args:
        peak_r: Of the shifted series.
        at_once: Of the unshifted one.
        alike: Correlation of the shifted series with itself unshifted, in [0, 1].
        errors: Standard errors that are "clear".
    """
    alike = min(alike, _MOST_ALIKE)
    # By size alone: a mood that swings back and forth is as strongly against itself half a swing later.
    strong, weak = abs(peak_r), abs(at_once.r)
    mean_square = min((strong**2 + weak**2) / 2, 1 - _FLAT)
    f = min(1.0, (1 - alike) / (2 * (1 - mean_square)))
    h = (1 - f * mean_square) / (1 - mean_square)
    error = math.sqrt(2 * (1 - alike) * h / (at_once.effective - 3))
    return _atanh(strong) - _atanh(weak) > errors * error


def errors_for(independent: float) -> float:
    """Return the standard errors at which so many *independent* intervals hold together, 95 % (Bonferroni)."""
    return NormalDist().inv_cdf(1 - 0.025 / max(independent, 1.0))


def _atanh(r: float) -> float:
    return math.atanh(min(max(r, _FLAT - 1), 1 - _FLAT))


def _pearson(x: Floats, y: Floats) -> float:
    return float(np.clip(np.corrcoef(x, y)[0, 1], -1.0, 1.0))


def _ranks(values: Floats) -> Floats:
    """Return ranks, equal values sharing their mean rank."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[which], np.float64)
