"""Rows of the database, to and from the types that flow."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from edge.behaviour import Behaviour, Component, Engagement
from edge.metric import Metric, Standing
from edge.privacy.withholding import withhold
from edge.role import Role
from edge.store.packing import Readings, pack, unpack
from edge.store.schema import window_key, window_length_s
from edge.summary import (
    Alert,
    AlertState,
    Coverage,
    Feedback,
    Health,
    Lesson,
    ModalitySummary,
    Severity,
    SourceHealth,
    SourceState,
    Verdict,
    WindowSummary,
)

Row = tuple[Any, ...]  # what sqlite3 gives: text, numbers, bytes or None, by column
Context = tuple[str | None, str | None]
"""Names of the engagement's components and the usual values, each as JSON."""
NO_CONTEXT: Context = (None, None)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

SUMMARY_STORED = (
    "key, closed_rest_us, closed_s, length_s, face_observations, voice_observations, fused_observations, "
    "people, gaps, late, suppressed, context, readings"
)
SUMMARY_COLUMNS = SUMMARY_STORED.replace("key, closed_rest_us", "role, closed_us, opened_us")
ALERT_COLUMNS = "id, state, rule, role, at_us, at_s, since_s, reason, value, threshold, severity, metric, usual"
LESSON_COLUMNS = "id, title, started_us, ended_us, group_name, kind"
HEALTH_COLUMNS = "at_us, vision_ms, voice_ms, analysed_per_s, late, faults"
SOURCE_COLUMNS = (
    "at_us, number, name, role, state, error, reconnects, frames, frames_per_s, dropped_frames, lost_audio_s, idle_s"
)
CONTEXTS = "SELECT number, engagement, usual FROM contexts WHERE lesson = ?"
FEEDBACK_COLUMNS = "alert, verdict, at_us"


def to_us(instant: datetime) -> int:
    """Return microseconds since 1970."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def to_utc(microseconds: int) -> datetime:
    """Return the instant, UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)


def from_context(summary: WindowSummary) -> Context:
    """Return what seldom changes of a window: its components' names, and what is usual, to seven digits."""
    if summary.suppressed:
        return NO_CONTEXT
    parts = summary.engagement.components if summary.engagement is not None else ()
    usual = {one.metric.value: [float(f"{x:.7g}") for x in (one.usual, one.spread)] for one in summary.standings}
    return (
        json.dumps([[part.name, part.unit] for part in parts]) if parts else None,
        json.dumps(usual) if usual else None,
    )


def from_summary(summary: WindowSummary, lesson: int, context: int | None) -> Row:
    """Return a row of :data:`SUMMARY_STORED`; nothing about people where it is suppressed."""
    if summary.suppressed:
        summary = withhold(summary)
    face, voice, fused = parts = (summary.face, summary.voice, summary.fused)
    seen, does = summary.coverage, summary.behaviour
    closed_us = to_us(summary.closed_at)
    readings = Readings(
        shares=[part.shares for part in parts],
        values=(
            *(seen.usable_faces, seen.speech_ratio, seen.level_dbfs, does.attention, does.movement),
            *(does.talk, does.turns_per_min, does.overlap, does.silence, does.unattributed),
        ),
        amounts=(
            *(face.effective, voice.effective, fused.effective, seen.face_s, seen.voice_s),
            *(does.attention_people, does.movement_people),
        ),
        components=None
        if summary.engagement is None
        else [(part.value, part.evidence) for part in summary.engagement.components],
    )
    return (
        window_key(lesson, closed_us, teacher=summary.role is Role.TEACHER),
        closed_us % 1000,
        summary.closed_s,
        window_length_s(summary.closed_s - summary.opened_s, closed_us - to_us(summary.opened_at)),
        *(part.observations for part in parts),
        seen.people,
        seen.gaps,
        summary.late,
        int(summary.suppressed),
        context,
        pack(readings),
    )


def to_summary(row: Row, contexts: Mapping[int, Context]) -> WindowSummary:
    """Return the summary of a row of :data:`SUMMARY_COLUMNS`.

    A standing's value is its window's own, so it isn't stored twice; nor is when it opened, which follows from its
    length to a microsecond.

    Raises:
        ValueError: The row says what no summary can.
    """
    role, closed_us, opened_us, closed_s, length_s, *observations, people, gaps, late, suppressed, context, packed = row
    readings = unpack(packed)
    engagement, usual = NO_CONTEXT if context is None else contexts.get(context, NO_CONTEXT)
    usable_faces, speech_ratio, level_dbfs, attention, movement, *talk = readings.values
    *effective, face_s, voice_s, attention_people, movement_people = readings.amounts
    face, voice, fused = map(ModalitySummary, observations, readings.shares, effective)
    summary = WindowSummary(
        opened_at=to_utc(opened_us),
        closed_at=to_utc(closed_us),
        opened_s=closed_s - length_s,
        closed_s=closed_s,
        role=Role(role),
        face=face,
        voice=voice,
        fused=fused,
        coverage=Coverage(people, usable_faces, speech_ratio, level_dbfs, gaps, face_s, voice_s),
        late=late,
        suppressed=bool(suppressed),
        behaviour=Behaviour(attention, attention_people, movement, movement_people, *talk),
        engagement=_engagement(engagement, readings.components),
    )
    return summary if usual is None else _standing(summary, usual)


def from_alert(alert: Alert) -> Row:
    """Return a row of :data:`ALERT_COLUMNS`."""
    return (
        alert.id,
        alert.state.value,
        alert.rule,
        alert.role.value,
        to_us(alert.at),
        alert.at_s,
        alert.since_s,
        alert.reason,
        alert.value,
        alert.threshold,
        alert.severity.value,
        None if alert.metric is None else alert.metric.value,
        alert.usual,
    )


def to_alert(row: Row) -> Alert:
    """Return the alert of a row of :data:`ALERT_COLUMNS`.

    Raises:
        ValueError: The row says what no alert can.
    """
    alert_id, state, rule, role, at_us, at_s, since_s, reason, value, threshold, severity, metric, usual = row
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
        severity=Severity(severity),
        metric=None if metric is None else Metric(metric),
        usual=usual,
    )


def from_lesson(lesson: Lesson) -> Row:
    """Return a row of :data:`LESSON_COLUMNS`."""
    ended_us = None if lesson.ended_at is None else to_us(lesson.ended_at)
    return (lesson.id, lesson.title, to_us(lesson.started_at), ended_us, lesson.group, lesson.kind)


def to_lesson(row: Row) -> Lesson:
    """Return the lesson of a row of :data:`LESSON_COLUMNS`."""
    lesson_id, title, started_us, ended_us, group, kind = row
    return Lesson(lesson_id, title, to_utc(started_us), None if ended_us is None else to_utc(ended_us), group, kind)


def from_feedback(feedback: Feedback) -> Row:
    """Return a row of :data:`FEEDBACK_COLUMNS`."""
    return (feedback.alert_id, feedback.verdict.value, to_us(feedback.at))


def to_feedback(row: Row) -> Feedback:
    """Return the feedback of a row of :data:`FEEDBACK_COLUMNS`.

    Raises:
        ValueError: The row says what no feedback can.
    """
    alert_id, verdict, at_us = row
    return Feedback(alert_id, Verdict(verdict), to_utc(at_us))


def from_health(health: Health) -> Row:
    """Return a row of :data:`HEALTH_COLUMNS`."""
    faults = json.dumps(health.faults, ensure_ascii=False) if health.faults else None
    return (to_us(health.at), health.vision_ms, health.voice_ms, health.analysed_per_s, health.late, faults)


def from_sources(health: Health) -> list[Row]:
    """Return rows of :data:`SOURCE_COLUMNS`, one a source."""
    at_us = to_us(health.at)
    return [
        (
            *(at_us, number, one.name, one.role.value, one.state.value, one.error, one.reconnects, one.frames),
            *(one.frames_per_s, one.dropped_frames, one.lost_audio_s, one.idle_s),
        )
        for number, one in enumerate(health.sources)
    ]


def to_health(row: Row, sources: Iterable[Row]) -> Health:
    """Return the health of a row of :data:`HEALTH_COLUMNS` and the rows of its sources.

    Raises:
        ValueError: A row says what no health can.
    """
    at_us, vision_ms, voice_ms, analysed_per_s, late, faults = row
    return Health(
        at=to_utc(at_us),
        sources=tuple(
            SourceHealth(name, Role(role), SourceState(state), *rest) for _, _, name, role, state, *rest in sources
        ),
        vision_ms=vision_ms,
        voice_ms=voice_ms,
        analysed_per_s=analysed_per_s,
        late=late,
        faults=() if faults is None else tuple(json.loads(faults)),
    )


def _engagement(names: str | None, parts: Iterable[tuple[float, float]] | None) -> Engagement | None:
    if parts is None:
        return None
    named = zip(_names(names), parts, strict=True)
    return Engagement(tuple(Component(name, value, evidence, unit) for (name, unit), (value, evidence) in named))


def _standing(summary: WindowSummary, usual: str) -> WindowSummary:
    standings = tuple(
        Standing(metric, value, middle, spread)
        for metric, middle, spread in _usual(usual)
        if (value := summary.value(metric)) is not None
    )
    return replace(summary, standings=standings)


@lru_cache(maxsize=256)
def _names(text: str | None) -> tuple[tuple[str, str], ...]:
    return () if text is None else tuple((name, unit) for name, unit in json.loads(text))


@lru_cache(maxsize=256)
def _usual(text: str) -> tuple[tuple[Metric, float, float], ...]:
    return tuple((Metric(name), middle, spread) for name, (middle, spread) in json.loads(text).items())
