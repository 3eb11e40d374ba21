"""One role's lesson as a drawing: stacked shares over time, alerts above, gaps left open. SVG, no script."""

from collections.abc import Sequence
from html import escape
from itertools import groupby

from edge.observation import NEGATIVE, Emotion, EmotionDistribution
from edge.report.statistics import AlertSpan, RoleStatistics, Slice

_WIDTH, _HEIGHT = 880.0, 150.0
_LEFT, _TOP = 44.0, 24.0
_TICKS_S = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
_MOST_TICKS = 10

Band = tuple[str, str, tuple[Emotion, ...]]

BANDS: tuple[Band, ...] = (
    ("negative", "negative (anger, disgust, fear, sadness)", NEGATIVE),
    ("neutral", "neutral", (Emotion.NEUTRAL,)),
    ("surprise", "surprise", (Emotion.SURPRISE,)),
    ("positive", "positive (happiness)", (Emotion.HAPPINESS,)),
)
"""From the bottom up: style class, name, emotions. Together they are all seven."""


def band_shares(shares: EmotionDistribution) -> tuple[float, ...]:
    """Return the share of each of :data:`BANDS`; they sum to 1."""
    by_emotion = shares.shares()
    return tuple(sum(by_emotion[emotion] for emotion in emotions) for _, _, emotions in BANDS)


def draw(statistics: RoleStatistics, alerts: Sequence[AlertSpan], *, length_s: float) -> str:
    """Return an SVG element over ``[0, length_s)`` of the lesson; *alerts* of other roles are left out."""
    length_s = max(length_s, 1.0)
    parts = [_grid(length_s)]
    for kind, run in groupby(statistics.slices, key=_kind):
        pieces = list(run)
        parts.append(_areas(pieces, length_s) if kind == "known" else _gap(pieces, kind, length_s))
    parts += [_mark(span, length_s) for span in alerts if span.role is statistics.role]
    role, width, height = escape(statistics.role.value), _LEFT + _WIDTH + 16, _TOP + _HEIGHT + 26
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="Timeline of the {role}">'
        f"{''.join(parts)}</svg>"
    )


def clock(seconds: float) -> str:
    """Write seconds since the lesson began as minutes and seconds."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def _kind(piece: Slice) -> str:
    if piece.shares is not None:
        return "known"
    return "withheld" if piece.withheld else "unknown"


def _x(seconds: float, length_s: float) -> float:
    return _LEFT + _WIDTH * min(max(seconds / length_s, 0.0), 1.0)


def _y(share: float) -> float:
    return _TOP + _HEIGHT * (1 - share)


def _grid(length_s: float) -> str:
    step_s = next((s for s in _TICKS_S if length_s / s <= _MOST_TICKS), _TICKS_S[-1])
    bottom = _y(0)
    frame = f'<rect class="empty" x="{_LEFT}" y="{_TOP}" width="{_WIDTH}" height="{_HEIGHT}"/>'
    shares = "".join(
        f'<text class="axis end" x="{_LEFT - 6}" y="{_y(share) + 4:.1f}">{share:.0%}</text>' for share in (0, 0.5, 1)
    )
    times = "".join(
        f'<path class="tick" d="M{_x(s, length_s):.1f} {bottom}v5"/>'
        f'<text class="axis middle" x="{_x(s, length_s):.1f}" y="{bottom + 19}">{clock(s)}</text>'
        for s in range(0, int(length_s) + 1, step_s)
    )
    return frame + shares + times


def _areas(pieces: Sequence[Slice], length_s: float) -> str:
    """Stack the bands of neighbouring pieces as steps: nothing is drawn between two values that was not measured."""
    columns = [(piece, band_shares(piece.shares)) for piece in pieces if piece.shares is not None]
    below = [0.0] * len(columns)
    drawn = []
    for index, (style, _, _) in enumerate(BANDS):
        above = [base + shares[index] for base, (_, shares) in zip(below, columns, strict=True)]
        upper = [point for (piece, _), top in zip(columns, above, strict=True) for point in _step(piece, top, length_s)]
        lower = [point for (piece, _), low in zip(columns, below, strict=True) for point in _step(piece, low, length_s)]
        drawn.append(f'<path class="{style}" d="M{" ".join(upper)} {" ".join(reversed(lower))}Z"/>')
        below = above
    return "".join(drawn)


def _step(piece: Slice, share: float, length_s: float) -> tuple[str, str]:
    y = _y(min(share, 1.0))
    return f"{_x(piece.from_s, length_s):.1f},{y:.1f}", f"{_x(piece.to_s, length_s):.1f},{y:.1f}"


def _gap(pieces: Sequence[Slice], kind: str, length_s: float) -> str:
    left, right = _x(pieces[0].from_s, length_s), _x(pieces[-1].to_s, length_s)
    words = "too few people in view" if kind == "withheld" else "not enough evidence"
    title = f"<title>{words}, {clock(pieces[0].from_s)} to {clock(pieces[-1].to_s)}</title>"
    return (
        f'<rect class="{kind}" x="{left:.1f}" y="{_TOP}" width="{right - left:.1f}" height="{_HEIGHT}">{title}</rect>'
    )


def _mark(span: AlertSpan, length_s: float) -> str:
    left = _x(span.raised_s, length_s)
    right = _x(length_s if span.cleared_s is None else span.cleared_s, length_s)
    title = f"<title>{escape(span.rule)}: {escape(span.reason)}</title>"
    return (
        f'<g class="alert">{title}<path d="M{left:.1f} {_TOP - 5}V{_y(0)}"/>'
        f'<path class="bar" d="M{left:.1f} {_TOP - 5}H{max(right, left + 3):.1f}"/>'
        f'<path class="flag" d="M{left:.1f} {_TOP - 17}l10 5l-10 5z"/></g>'
    )
