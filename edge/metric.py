"""What windows are measured by, and how a value stands against what is usual."""

import math
from dataclasses import dataclass
from enum import StrEnum


class Metric(StrEnum):
    """What a window is measured by: what rules watch and what a class has a usual value of."""

    NEGATIVE = "negative"
    """Negative share, in [0, 1]."""
    POSITIVE = "positive"
    """Positive share, in [0, 1]."""
    VALENCE = "valence"
    """In [-1, 1]."""
    AROUSAL = "arousal"
    """In [-1, 1]."""
    ATTENTION = "attention"
    """Share of heads that point to the front, in [0, 1]."""
    MOVEMENT = "movement"
    """Face widths a second."""
    TALK = "talk"
    """Share of the time in which this role speaks, in [0, 1]."""
    TURNS = "turns"
    """Changes of speaker a minute."""
    OVERLAP = "overlap"
    """Share of the time in which both roles speak, in [0, 1]."""
    SILENCE = "silence"
    """Share of the time in which nobody speaks, in [0, 1]."""
    LEVEL = "level"
    """Loudness, dBFS."""
    ENGAGEMENT = "engagement"
    """Mean of the engagement's components, in [0, 1]."""
    ACTIVITY = "activity"
    """Mean z-score of :data:`ACTIVE`: how unusually lively this class is."""


ACTIVE = (Metric.MOVEMENT, Metric.TALK, Metric.LEVEL, Metric.AROUSAL)
"""What makes a class lively; each counts by how unusual it is for this class."""

_Z95 = 1.959964


def interval95(share: float, effective: float) -> tuple[float, float]:
    """Return the 95 % score interval (Wilson, 1927) of a share seen in *effective* independent cases.

    Args:
        share: In [0, 1].
        effective: More than 0; need not be whole (Kish, 1965: the square of the weights' sum over the sum of squares).
    """
    spread = _Z95**2 / effective
    middle = (share + spread / 2) / (1 + spread)
    half = math.sqrt(share * (1 - share) * spread + spread**2 / 4) / (1 + spread)
    # At 0 and 1 the interval ends there exactly, which rounding may miss by a hair.
    return min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half))


@dataclass(frozen=True, slots=True)
class Standing:
    """A metric against what is usual for this class."""

    metric: Metric
    value: float

    usual: float
    """Median of the class's recent windows."""

    spread: float
    """Their scaled median absolute deviation (1.4826 MAD), or where that collapses, their scaled middle 80 %."""

    @property
    def z(self) -> float:
        """How many spreads the value is above the usual."""
        return (self.value - self.usual) / self.spread
