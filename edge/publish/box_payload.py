"""``state``, ``health`` and ``lesson``: how the box is and what it is at."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field

from edge.publish.wire import LONGEST_LINE, Amount, Count, Id, Instant, Line, Payload, rounded
from edge.role import Role
from edge.summary import Health, Lesson, SourceHealth, SourceState

_MOST_FAULTS = 32


class SourcePayload(Payload):
    """One camera, microphone or file."""

    name: Line
    role: Role
    state: SourceState
    error: Line | None
    reconnects: Count
    frames: Count
    frames_per_s: Amount
    dropped_frames: Count
    lost_audio_s: Amount
    idle_s: Amount | None
    slowed: Count = 0

    @classmethod
    def of(cls, source: SourceHealth) -> Self:
        """Round."""
        return cls(
            name=source.name,
            role=source.role,
            state=source.state,
            error=None if source.error is None else source.error[:LONGEST_LINE],
            reconnects=source.reconnects,
            frames=source.frames,
            frames_per_s=round(source.frames_per_s, 1),
            dropped_frames=source.dropped_frames,
            lost_audio_s=round(source.lost_audio_s, 3),
            idle_s=rounded(source.idle_s, 1),
            slowed=source.slowed,
        )


class HealthPayload(Payload):
    """``health``: the box's own state."""

    schema_version: Literal[1] = 1
    at: Instant
    sources: Annotated[tuple[SourcePayload, ...], Field(max_length=32)]
    vision_ms: Amount | None
    voice_ms: Amount | None
    analysed_per_s: Amount
    late: Count
    faults: Annotated[tuple[Line, ...], Field(max_length=_MOST_FAULTS)] = ()

    @classmethod
    def of(cls, health: Health) -> Self:
        """Round."""
        return cls(
            at=health.at,
            sources=tuple(SourcePayload.of(source) for source in health.sources),
            vision_ms=rounded(health.vision_ms, 1),
            voice_ms=rounded(health.voice_ms, 1),
            analysed_per_s=round(health.analysed_per_s, 1),
            late=health.late,
            faults=tuple(fault[:LONGEST_LINE] for fault in health.faults[:_MOST_FAULTS]),
        )


class Presence(StrEnum):
    """Whether the box is there."""

    ONLINE = "online"
    OFFLINE = "offline"


class StatePayload(Payload):
    """``state``: retained; the last will says ``offline`` for a box that can't."""

    schema_version: Literal[1] = 1
    state: Presence

    session: Id
    """New with each connection: an ``offline`` of another session than the last ``online`` is old news."""

    at: Instant | None
    """``null`` in the last will, which was written when the connection began."""


class OneLessonPayload(Payload):
    """A lesson that runs or has ended."""

    id: Id
    title: Line
    group: Line
    kind: Line
    started_at: Instant

    ended_at: Instant | None
    """``null`` while it runs."""

    @classmethod
    def of(cls, lesson: Lesson) -> Self:
        """Cut what is too long."""
        return cls(
            id=lesson.id,
            title=lesson.title[:LONGEST_LINE],
            group=lesson.group[:LONGEST_LINE],
            kind=lesson.kind[:LONGEST_LINE],
            started_at=lesson.started_at,
            ended_at=lesson.ended_at,
        )


class LessonPayload(Payload):
    """``lesson``: retained; the lesson that runs, or the one that ended last."""

    schema_version: Literal[1] = 1

    lesson: OneLessonPayload | None
    """``null`` where none has run since the box started."""

    @classmethod
    def of(cls, lesson: Lesson | None) -> Self:
        """Wrap it."""
        return cls(lesson=None if lesson is None else OneLessonPayload.of(lesson))
