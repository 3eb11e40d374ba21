"""``summary/<role>``: one window, aggregates only.

All that was added after the first version of the schema is optional for a reader.
"""

from typing import Annotated, Literal, Self

from pydantic import Field
from pydantic import model_validator as check

from edge.behaviour import Behaviour, Component, Engagement
from edge.metric import Metric, Standing
from edge.observation import NEGATIVE, POSITIVE, Emotion
from edge.publish.wire import Amount, Balance, Count, Instant, Line, Payload, Share, rounded
from edge.role import Role
from edge.summary import Coverage, EvidenceState, ModalitySummary, WindowSummary

_SUM_TOLERANCE = 2e-3  # seven shares, each rounded to four digits, of a distribution that sums to 1 within 1e-3

Interval = tuple[Share, Share]
"""Lower and upper end of a 95 % interval of a share."""


class ModalityPayload(Payload):
    """Face, voice, or both fused."""

    observations: Count
    shares: dict[Emotion, Share] | None
    negative_share: Share | None
    positive_share: Share | None = None
    negative_interval: Interval | None = None
    positive_interval: Interval | None = None
    valence: Balance | None = None
    arousal: Balance | None = None

    effective: Amount = 0.0
    """Independent people or utterances behind the shares."""

    @classmethod
    def of(cls, modality: ModalitySummary, *, withheld: bool) -> Self:
        """Round one modality; without shares where they are *withheld*."""
        if withheld or modality.shares is None:
            return cls(observations=modality.observations, shares=None, negative_share=None)
        said = modality.shares
        shares = {emotion: round(share, 4) for emotion, share in said.shares().items()}
        return cls(
            observations=modality.observations,
            shares=shares,
            negative_share=min(1.0, round(sum(shares[emotion] for emotion in NEGATIVE), 4)),
            positive_share=min(1.0, round(sum(shares[emotion] for emotion in POSITIVE), 4)),
            negative_interval=_interval(modality.interval(said.negative_share)),
            positive_interval=_interval(modality.interval(said.positive_share)),
            valence=round(said.valence, 4),
            arousal=round(said.arousal, 4),
            effective=round(modality.effective, 1),
        )

    @check(mode="after")
    def _one_distribution_or_none(self) -> Self:
        if self.shares is None or self.negative_share is None:
            worked_out = (
                self.positive_share,
                self.negative_interval,
                self.positive_interval,
                self.valence,
                self.arousal,
            )
            if any(value is not None for value in (self.shares, self.negative_share, *worked_out)):
                raise ValueError("shares and all that follows from them must be null together")
            return self
        if len(self.shares) != len(Emotion):
            raise ValueError(f"shares must name all {len(Emotion)} emotions, got {len(self.shares)}")
        if abs(sum(self.shares.values()) - 1) > _SUM_TOLERANCE:
            raise ValueError(f"shares must sum to 1, got {sum(self.shares.values()):.4f}")
        if abs(sum(self.shares[emotion] for emotion in NEGATIVE) - self.negative_share) > _SUM_TOLERANCE:
            raise ValueError(f"negative_share must be the sum of its four shares, got {self.negative_share}")
        _check_within(self.negative_interval, self.negative_share, "negative_interval")
        if self.positive_share is not None:
            _check_within(self.positive_interval, self.positive_share, "positive_interval")
        return self


class CoveragePayload(Payload):
    """How much of what could have been known was."""

    people: Count
    usable_faces: Share | None
    speech_ratio: Share | None
    level_dbfs: float | None
    gaps: Count

    face_s: Amount = 0.0
    """Person-seconds of faces read."""

    voice_s: Amount = 0.0
    """Seconds of speech read."""

    @classmethod
    def of(cls, coverage: Coverage) -> Self:
        """Round."""
        return cls(
            people=coverage.people,
            usable_faces=rounded(coverage.usable_faces, 4),
            speech_ratio=rounded(coverage.speech_ratio, 4),
            level_dbfs=rounded(coverage.level_dbfs, 1),
            gaps=coverage.gaps,
            face_s=round(coverage.face_s, 1),
            voice_s=round(coverage.voice_s, 1),
        )


class BehaviourPayload(Payload):
    """What can be observed without reading emotions."""

    attention: Share | None = None
    attention_people: Amount = 0.0
    movement: Amount | None = None
    movement_people: Amount = 0.0
    talk: Share | None = None
    turns_per_min: Amount | None = None
    overlap: Share | None = None
    silence: Share | None = None
    unattributed: Share | None = None

    @classmethod
    def of(cls, behaviour: Behaviour) -> Self:
        """Round."""
        return cls(
            attention=rounded(behaviour.attention, 4),
            attention_people=round(behaviour.attention_people, 1),
            movement=rounded(behaviour.movement, 4),
            movement_people=round(behaviour.movement_people, 1),
            talk=rounded(behaviour.talk, 4),
            turns_per_min=rounded(behaviour.turns_per_min, 2),
            overlap=rounded(behaviour.overlap, 4),
            silence=rounded(behaviour.silence, 4),
            unattributed=rounded(behaviour.unattributed, 4),
        )


class ComponentPayload(Payload):
    """One part of the engagement."""

    name: Line
    value: Share
    evidence: Amount
    unit: Line

    @classmethod
    def of(cls, component: Component) -> Self:
        """Round."""
        value, evidence = round(component.value, 4), round(component.evidence, 1)
        return cls(name=component.name, value=value, evidence=evidence, unit=component.unit)


class EngagementPayload(Payload):
    """What can be observed of a class's taking part; the parts, and their mean where there are two."""

    score: Share | None
    components: Annotated[tuple[ComponentPayload, ...], Field(max_length=16)]

    @classmethod
    def of(cls, engagement: Engagement) -> Self:
        """Round."""
        components = tuple(ComponentPayload.of(component) for component in engagement.components)
        return cls(score=rounded(engagement.score, 4), components=components)


class StandingPayload(Payload):
    """A metric against what is usual for this class."""

    metric: Metric
    value: float
    usual: float
    spread: Amount

    z: float
    """How many spreads the value is above the usual."""

    @classmethod
    def of(cls, standing: Standing) -> Self:
        """Round."""
        value, usual, spread = (round(number, 4) for number in (standing.value, standing.usual, standing.spread))
        return cls(metric=standing.metric, value=value, usual=usual, spread=spread, z=round(standing.z, 2))


class SummaryPayload(Payload):
    """``summary/<role>``: one window."""

    schema_version: Literal[1] = 1
    role: Role
    opened_at: Instant
    closed_at: Instant
    opened_s: Amount
    closed_s: Amount
    evidence: EvidenceState | None = None
    face: ModalityPayload
    voice: ModalityPayload
    fused: ModalityPayload
    coverage: CoveragePayload
    behaviour: BehaviourPayload | None = None
    engagement: EngagementPayload | None = None
    activity: float | None = None
    standings: Annotated[tuple[StandingPayload, ...], Field(max_length=32)] = ()
    late: Count
    suppressed: bool

    @classmethod
    def of(cls, summary: WindowSummary) -> Self:
        """Round; a suppressed summary never tells of people, whatever it was given."""
        withheld = summary.suppressed
        told = None if withheld else summary
        engagement = None if told is None else told.engagement
        return cls(
            role=summary.role,
            opened_at=summary.opened_at,
            closed_at=summary.closed_at,
            opened_s=round(summary.opened_s, 3),
            closed_s=round(summary.closed_s, 3),
            evidence=summary.evidence,
            face=ModalityPayload.of(summary.face, withheld=withheld),
            voice=ModalityPayload.of(summary.voice, withheld=withheld),
            fused=ModalityPayload.of(summary.fused, withheld=withheld),
            coverage=CoveragePayload.of(summary.coverage),
            behaviour=None if told is None else BehaviourPayload.of(told.behaviour),
            engagement=None if engagement is None else EngagementPayload.of(engagement),
            activity=None if told is None else rounded(told.activity, 2),
            standings=() if told is None else tuple(StandingPayload.of(standing) for standing in told.standings),
            late=summary.late,
            suppressed=summary.suppressed,
        )

    @check(mode="after")
    def _agrees_with_itself(self) -> Self:
        if self.closed_at <= self.opened_at or self.closed_s <= self.opened_s:
            raise ValueError("a window must close after it opened")
        if self.suppressed and self._tells_of_people():
            raise ValueError("a suppressed summary must not carry shares, behaviour, engagement or standings")
        if self.evidence is not None and (self.evidence is EvidenceState.ENOUGH) != (self.fused.shares is not None):
            raise ValueError("evidence must be enough where there are fused shares, and only there")
        return self

    def _tells_of_people(self) -> bool:
        shares = any(part.shares is not None for part in (self.face, self.voice, self.fused))
        told = (self.behaviour, self.engagement, self.activity)
        return shares or bool(self.standings) or any(part is not None for part in told)


def _interval(ends: tuple[float, float] | None) -> Interval | None:
    return None if ends is None else (round(ends[0], 4), round(ends[1], 4))


def _check_within(interval: Interval | None, share: float, name: str) -> None:
    if interval is not None and not interval[0] - _SUM_TOLERANCE <= share <= interval[1] + _SUM_TOLERANCE:
        raise ValueError(f"{name} must hold its share")
