"""What the messages say: JSON, one schema version, aggregates only.

Read by strangers and written by us, so checked both ways: fields that a reader doesn't know are skipped, fields that
are wrong are refused. ``null`` is "no evidence".
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Literal, Self, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer, ValidationError
from pydantic import model_validator as check

from edge.observation import NEGATIVE, Emotion
from edge.role import Role
from edge.summary import Alert, AlertState, Coverage, Health, ModalitySummary, SourceHealth, SourceState, WindowSummary

LARGEST = 64 * 1024
"""Bytes a message may have; ours are under 4 KiB."""

MOST_ALERTS = 100
"""Raised alerts that ``alerts/active`` can hold."""

_SUM_TOLERANCE = 2e-3  # seven shares, each rounded to four digits, of a distribution that sums to 1 within 1e-3


class PayloadError(ValueError):
    """Raised when bytes from the wire are not the message that their topic promises."""


def _iso(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


Instant = Annotated[AwareDatetime, AfterValidator(lambda t: t.astimezone(UTC)), PlainSerializer(_iso, when_used="json")]
"""UTC, written ISO 8601 with milliseconds and ``Z``."""

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Amount = Annotated[float, Field(ge=0)]
Line = Annotated[str, Field(max_length=1000)]


class Payload(BaseModel):
    """What all messages have in common."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, allow_inf_nan=False)

    def to_json(self) -> bytes:
        """Write it as it goes over the wire."""
        return self.model_dump_json().encode()


class ModalityPayload(Payload):
    """Face, voice, or both fused."""

    observations: Count
    shares: dict[Emotion, Share] | None
    negative_share: Share | None

    @classmethod
    def of(cls, modality: ModalitySummary, *, withheld: bool) -> Self:
        """Round one modality; without shares where they are *withheld*."""
        if withheld or modality.shares is None:
            return cls(observations=modality.observations, shares=None, negative_share=None)
        shares = {emotion: round(share, 4) for emotion, share in modality.shares.shares().items()}
        negative = min(1.0, round(sum(shares[emotion] for emotion in NEGATIVE), 4))
        return cls(observations=modality.observations, shares=shares, negative_share=negative)

    @check(mode="after")
    def _one_distribution_or_none(self) -> Self:
        if self.shares is None or self.negative_share is None:
            if self.shares is not None or self.negative_share is not None:
                raise ValueError("shares and negative_share must both be null, or neither")
            return self
        if len(self.shares) != len(Emotion):
            raise ValueError(f"shares must name all {len(Emotion)} emotions, got {len(self.shares)}")
        if abs(sum(self.shares.values()) - 1) > _SUM_TOLERANCE:
            raise ValueError(f"shares must sum to 1, got {sum(self.shares.values()):.4f}")
        if abs(sum(self.shares[emotion] for emotion in NEGATIVE) - self.negative_share) > _SUM_TOLERANCE:
            raise ValueError(f"negative_share must be the sum of its four shares, got {self.negative_share}")
        return self


class CoveragePayload(Payload):
    """How much of what could have been known was."""

    people: Count
    usable_faces: Share | None
    speech_ratio: Share | None
    level_dbfs: float | None
    gaps: Count

    @classmethod
    def of(cls, coverage: Coverage) -> Self:
        """Round."""
        return cls(
            people=coverage.people,
            usable_faces=_rounded(coverage.usable_faces, 4),
            speech_ratio=_rounded(coverage.speech_ratio, 4),
            level_dbfs=_rounded(coverage.level_dbfs, 1),
            gaps=coverage.gaps,
        )


class SummaryPayload(Payload):
    """``summary/<role>``: one window."""

    schema_version: Literal[1] = 1
    role: Role
    opened_at: Instant
    closed_at: Instant
    opened_s: Amount
    closed_s: Amount
    face: ModalityPayload
    voice: ModalityPayload
    fused: ModalityPayload
    coverage: CoveragePayload
    late: Count
    suppressed: bool

    @classmethod
    def of(cls, summary: WindowSummary) -> Self:
        """Round; a suppressed summary never carries shares, whatever it was given."""
        withheld = summary.suppressed
        return cls(
            role=summary.role,
            opened_at=summary.opened_at,
            closed_at=summary.closed_at,
            opened_s=round(summary.opened_s, 3),
            closed_s=round(summary.closed_s, 3),
            face=ModalityPayload.of(summary.face, withheld=withheld),
            voice=ModalityPayload.of(summary.voice, withheld=withheld),
            fused=ModalityPayload.of(summary.fused, withheld=withheld),
            coverage=CoveragePayload.of(summary.coverage),
            late=summary.late,
            suppressed=summary.suppressed,
        )

    @check(mode="after")
    def _agrees_with_itself(self) -> Self:
        if self.closed_at <= self.opened_at or self.closed_s <= self.opened_s:
            raise ValueError("a window must close after it opened")
        if self.suppressed and any(part.shares is not None for part in (self.face, self.voice, self.fused)):
            raise ValueError("a suppressed summary must not carry shares")
        return self


class AlertPayload(Payload):
    """``alert``: a rule's condition held for long enough, or ended; the same ``id`` and ``state`` again is a repeat."""

    schema_version: Literal[1] = 1
    id: Annotated[str, Field(min_length=1, max_length=64)]
    rule: Line
    state: AlertState
    role: Role
    at: Instant
    at_s: Amount
    since_s: Amount
    reason: Line
    value: float | None
    threshold: float

    @classmethod
    def of(cls, alert: Alert) -> Self:
        """Round."""
        return cls(
            id=alert.id,
            rule=alert.rule,
            state=alert.state,
            role=alert.role,
            at=alert.at,
            at_s=round(alert.at_s, 3),
            since_s=round(alert.since_s, 3),
            reason=alert.reason[:1000],
            value=_rounded(alert.value, 4),
            threshold=round(alert.threshold, 4),
        )


class ActiveAlertsPayload(Payload):
    """``alerts/active``: the alerts that are raised now, oldest first."""

    schema_version: Literal[1] = 1
    alerts: Annotated[tuple[AlertPayload, ...], Field(max_length=MOST_ALERTS, strict=False)]


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

    @classmethod
    def of(cls, source: SourceHealth) -> Self:
        """Round."""
        return cls(
            name=source.name,
            role=source.role,
            state=source.state,
            error=None if source.error is None else source.error[:1000],
            reconnects=source.reconnects,
            frames=source.frames,
            frames_per_s=round(source.frames_per_s, 1),
            dropped_frames=source.dropped_frames,
            lost_audio_s=round(source.lost_audio_s, 3),
            idle_s=_rounded(source.idle_s, 1),
        )


class HealthPayload(Payload):
    """``health``: the box's own state."""

    schema_version: Literal[1] = 1
    at: Instant
    sources: Annotated[tuple[SourcePayload, ...], Field(max_length=32, strict=False)]
    vision_ms: Amount | None
    voice_ms: Amount | None
    analysed_per_s: Amount
    late: Count

    @classmethod
    def of(cls, health: Health) -> Self:
        """Round."""
        return cls(
            at=health.at,
            sources=tuple(SourcePayload.of(source) for source in health.sources),
            vision_ms=_rounded(health.vision_ms, 1),
            voice_ms=_rounded(health.voice_ms, 1),
            analysed_per_s=round(health.analysed_per_s, 1),
            late=health.late,
        )


class Presence(StrEnum):
    """Whether the box is there."""

    ONLINE = "online"
    OFFLINE = "offline"


class StatePayload(Payload):
    """``state``: retained; the last will says ``offline`` for a box that can't."""

    schema_version: Literal[1] = 1
    state: Presence

    session: Annotated[str, Field(min_length=1, max_length=64)]
    """New with each connection: an ``offline`` of another session than the last ``online`` is old news."""

    at: Instant | None
    """``null`` in the last will, which was written when the connection began."""


PayloadT = TypeVar("PayloadT", bound=Payload)


def parse(kind: type[PayloadT], data: bytes | bytearray) -> PayloadT:
    """Read a message of the *kind* its topic promises.

    Raises:
        PayloadError: It isn't one; the text is one line and doesn't repeat what was sent.
    """
    if len(data) > LARGEST:
        raise PayloadError(f"{kind.__name__}: {len(data)} bytes, at most {LARGEST} are read")
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "message"
        raise PayloadError(f"{kind.__name__}: {where[:100]}: {' '.join(first['msg'].split())[:200]}") from None


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
