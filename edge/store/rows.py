"""Rows of the database, to and from the types that flow."""

import struct
from datetime import UTC, datetime, timedelta
from typing import Any

from edge.observation import Emotion, EmotionDistribution
from edge.role import Role
from edge.summary import Alert, AlertState, Coverage, Lesson, ModalitySummary, WindowSummary

Row = tuple[Any, ...]  # what sqlite3 gives: text, numbers, bytes or None, by column

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHARES = struct.Struct(f"<{len(Emotion)}f")

SUMMARY_COLUMNS = (
    "role, closed_us, opened_us, opened_s, closed_s, face_observations, face_shares, voice_observations, voice_shares, "
    "fused_observations, fused_shares, people, usable_faces, speech_ratio, level_dbfs, gaps, late, suppressed"
)
ALERT_COLUMNS = "id, state, rule, role, at_us, at_s, since_s, reason, value, threshold"
LESSON_COLUMNS = "id, title, started_us, ended_us"


def to_us(instant: datetime) -> int:
    """Return microseconds since 1970."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def to_utc(microseconds: int) -> datetime:
    """Return the instant, UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)


def from_summary(summary: WindowSummary) -> Row:
    """Return a row of :data:`SUMMARY_COLUMNS`; without shares where they are suppressed."""
    parts: list[int | bytes | None] = []
    for part in (summary.face, summary.voice, summary.fused):
        withheld = summary.suppressed or part.shares is None
        parts += [part.observations, None if withheld or part.shares is None else _pack(part.shares)]
    seen = summary.coverage
    times = (to_us(summary.closed_at), to_us(summary.opened_at), summary.opened_s, summary.closed_s)
    coverage = (seen.people, seen.usable_faces, seen.speech_ratio, seen.level_dbfs, seen.gaps)
    return (summary.role.value, *times, *parts, *coverage, summary.late, int(summary.suppressed))


def to_summary(row: Row) -> WindowSummary:
    """Return the summary of a row of :data:`SUMMARY_COLUMNS`.

    Raises:
        ValueError: The row says what no summary can.
    """
    role, closed_us, opened_us, opened_s, closed_s = row[:5]
    people, usable_faces, speech_ratio, level_dbfs, gaps, late, suppressed = row[11:]
    return WindowSummary(
        opened_at=to_utc(opened_us),
        closed_at=to_utc(closed_us),
        opened_s=opened_s,
        closed_s=closed_s,
        role=Role(role),
        face=_modality(row[5], row[6]),
        voice=_modality(row[7], row[8]),
        fused=_modality(row[9], row[10]),
        coverage=Coverage(people, usable_faces, speech_ratio, level_dbfs, gaps),
        late=late,
        suppressed=bool(suppressed),
    )


def from_alert(alert: Alert) -> Row:
    """Return a row of :data:`ALERT_COLUMNS`."""
    when = (to_us(alert.at), alert.at_s, alert.since_s)
    return (
        alert.id,
        alert.state.value,
        alert.rule,
        alert.role.value,
        *when,
        alert.reason,
        alert.value,
        alert.threshold,
    )


def to_alert(row: Row) -> Alert:
    """Return the alert of a row of :data:`ALERT_COLUMNS`.

    Raises:
        ValueError: The row says what no alert can.
    """
    alert_id, state, rule, role, at_us, at_s, since_s, reason, value, threshold = row
    return Alert(
        id=alert_id,
        rule=rule,
        state=AlertState(state),
        role=Role(role),
        at=to_utc(at_us),
        at_s=at_s,
        since_s=since_s,
        reason=reason,
        value=value,
        threshold=threshold,
    )


def to_lesson(row: Row) -> Lesson:
    """Return the lesson of a row of :data:`LESSON_COLUMNS`."""
    lesson_id, title, started_us, ended_us = row
    return Lesson(lesson_id, title, to_utc(started_us), None if ended_us is None else to_utc(ended_us))


def _modality(observations: int, packed: bytes | None) -> ModalitySummary:
    return ModalitySummary(observations, None if packed is None else _unpack(packed))


def _pack(shares: EmotionDistribution) -> bytes:
    return _SHARES.pack(*shares.probabilities)


def _unpack(packed: bytes) -> EmotionDistribution:
    if len(packed) != _SHARES.size:
        raise ValueError(f"shares must be {_SHARES.size} bytes, got {len(packed)}")
    return EmotionDistribution(_SHARES.unpack(packed))
