"""What a lesson's summaries say together.

Windows overlap (ten seconds, every two), so a summary stands for its newest part only: the time since the summary
before it. Time without evidence and time that was withheld are kept apart from both emotions and each other.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from edge.observation import Emotion, EmotionDistribution
from edge.role import Role
from edge.summary import Alert, AlertState, WindowSummary


@dataclass(frozen=True, slots=True)
class Slice:
    """A stretch of a lesson."""

    from_s: float
    """Seconds since the lesson began, inclusive."""

    to_s: float
    """Seconds since the lesson began, exclusive."""

    shares: EmotionDistribution | None
    """``None`` when there was no evidence in it, or none that may be shown."""

    withheld: bool
    """Whether that is because too few people were in view."""


@dataclass(frozen=True, slots=True)
class RoleStatistics:
    """One role over a lesson."""

    role: Role

    covered_s: float
    """Seconds of the lesson for which there is a summary."""

    evidence_s: float
    """Seconds of those with shares."""

    withheld_s: float
    """Seconds of those whose shares were withheld because too few people were in view."""

    shares: EmotionDistribution | None
    """Mean over time with evidence; ``None`` when there was none."""

    slices: tuple[Slice, ...]
    """In order of time, of equal length, without holes between the first and the last."""

    @property
    def negative_share(self) -> float | None:
        """Anger, disgust, fear and sadness together, in [0, 1]; ``None`` without evidence."""
        return None if self.shares is None else self.shares.negative_share


@dataclass(frozen=True, slots=True)
class AlertSpan:
    """An alert from its beginning to its end."""

    rule: str
    role: Role

    raised_s: float
    """Seconds since the lesson began."""

    cleared_s: float | None
    """Seconds since the lesson began; ``None`` when the lesson ended first."""

    reason: str
    """What was said when it began."""


def role_statistics(role: Role, summaries: Iterable[WindowSummary], *, most_slices: int = 180) -> RoleStatistics:
    """Weigh one role's *summaries* by time; those of other roles are left out.

    Args:
        role: Whom it is about.
        summaries: In any order.
        most_slices: Slices to cut the lesson into, at most; no slice is shorter than a second.
    """
    if most_slices < 1:
        raise ValueError(f"most_slices must be at least 1, got {most_slices}")
    pieces = _newest_parts(sorted((s for s in summaries if s.role is role), key=lambda s: s.closed_s))
    return RoleStatistics(
        role=role,
        covered_s=sum(piece.to_s - piece.from_s for piece in pieces),
        evidence_s=sum(piece.to_s - piece.from_s for piece in pieces if piece.shares is not None),
        withheld_s=sum(piece.to_s - piece.from_s for piece in pieces if piece.withheld),
        shares=_mean(pieces, 0.0, math.inf),
        slices=_cut(pieces, most_slices),
    )


def alert_spans(alerts: Iterable[Alert]) -> tuple[AlertSpan, ...]:
    """Join the beginnings and ends of *alerts*, in order of beginning; an end without a beginning is left out."""
    events = list(alerts)
    ends = {alert.id: alert.at_s for alert in events if alert.state is AlertState.CLEARED}
    begun = sorted((alert for alert in events if alert.state is AlertState.RAISED), key=lambda alert: alert.at_s)
    return tuple(AlertSpan(a.rule, a.role, a.at_s, ends.get(a.id), a.reason) for a in begun)


def _newest_parts(summaries: Sequence[WindowSummary]) -> list[Slice]:
    pieces: list[Slice] = []
    before_s = 0.0
    for summary in summaries:
        from_s = max(summary.opened_s, before_s)
        if summary.closed_s > from_s:
            shares = None if summary.suppressed else summary.fused.shares
            pieces.append(Slice(from_s, summary.closed_s, shares, summary.suppressed))
        before_s = max(before_s, summary.closed_s)
    return pieces


def _cut(pieces: Sequence[Slice], most: int) -> tuple[Slice, ...]:
    if not pieces:
        return ()
    begin_s, end_s = pieces[0].from_s, pieces[-1].to_s
    shortest_s = max(1.0, min(piece.to_s - piece.from_s for piece in pieces))
    count = max(1, min(most, math.floor((end_s - begin_s) / shortest_s)))
    edges = np.linspace(begin_s, end_s, count + 1)
    return tuple(_slice(pieces, float(a), float(b)) for a, b in pairwise(edges))


def _slice(pieces: Sequence[Slice], from_s: float, to_s: float) -> Slice:
    shares = _mean(pieces, from_s, to_s)
    withheld = shares is None and any(p.withheld and _overlap(p, from_s, to_s) > 0 for p in pieces)
    return Slice(from_s, to_s, shares, withheld)


def _mean(pieces: Iterable[Slice], from_s: float, to_s: float) -> EmotionDistribution | None:
    total = np.zeros(len(Emotion))
    for piece in pieces:
        if piece.shares is not None and (weight := _overlap(piece, from_s, to_s)) > 0:
            total += weight * np.array(piece.shares.probabilities)
    return EmotionDistribution.of(total) if total.any() else None


def _overlap(piece: Slice, from_s: float, to_s: float) -> float:
    return min(piece.to_s, to_s) - max(piece.from_s, from_s)
