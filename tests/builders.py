"""Short ways to make the values that flow, with everything a test does not care about filled in."""

from datetime import UTC, datetime, timedelta

import numpy as np

from edge.fusion.coverage import Look
from edge.media import SAMPLE_RATE, AudioBlock, Frame
from edge.observation import Emotion, EmotionDistribution, FaceObservation, VoiceObservation
from edge.role import Role
from edge.summary import Coverage, ModalitySummary, WindowSummary

SECOND = 1_000_000_000
"""Nanoseconds."""
EPOCH = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
"""When every lesson in the tests begins."""


def to_utc(at_ns: int) -> datetime:
    """Return the calendar's time of a clock that showed 0 at :data:`EPOCH`."""
    return EPOCH + timedelta(microseconds=at_ns / 1000)


def sure(emotion: Emotion, probability: float = 1.0) -> EmotionDistribution:
    """Return a distribution with *probability* on one emotion and the rest spread evenly."""
    rest = (1 - probability) / (len(Emotion) - 1)
    return EmotionDistribution(tuple(probability if e is emotion else rest for e in Emotion))


def frame(at_s: float, *, sequence: int = 0, source: str = "cam", role: Role = Role.STUDENTS) -> Frame:
    """Return a small black frame."""
    return Frame(np.zeros((48, 64, 3), np.uint8), round(at_s * SECOND), sequence, source, role)


def block(at_s: float, *, seconds: float = 0.1, source: str = "mic", role: Role = Role.STUDENTS) -> AudioBlock:
    """Return a stretch of silence."""
    return AudioBlock(np.zeros(round(seconds * SAMPLE_RATE), np.float32), round(at_s * SECOND), source, role)


def face(
    at_s: float,
    emotion: EmotionDistribution | None,
    *,
    span_s: float = 0.2,
    source: str = "cam",
    role: Role = Role.STUDENTS,
    track_id: int = 1,
) -> FaceObservation:
    """Return one face."""
    return FaceObservation(
        captured_ns=round(at_s * SECOND),
        source=source,
        role=role,
        box_xyxy=(0.1, 0.1, 0.2, 0.2),
        confidence=0.9,
        track_id=track_id,
        span_ns=round(span_s * SECOND),
        emotion=emotion,
    )


def look(
    at_s: float,
    *emotions: EmotionDistribution | None,
    span_s: float = 0.2,
    source: str = "cam",
    role: Role = Role.STUDENTS,
) -> Look:
    """Return one analysed frame with a face for each of *emotions*."""
    faces = tuple(
        face(at_s, emotion, span_s=span_s, source=source, role=role, track_id=number)
        for number, emotion in enumerate(emotions)
    )
    return Look(round(at_s * SECOND), source, role, faces)


def sound(
    end_s: float,
    emotion: EmotionDistribution | None,
    *,
    speech_ratio: float = 1.0,
    span_s: float = 1.0,
    level_dbfs: float | None = -20.0,
    gap: bool = False,
    source: str = "mic",
    role: Role = Role.STUDENTS,
) -> VoiceObservation:
    """Return one window of three seconds of sound."""
    end_ns = round(end_s * SECOND)
    return VoiceObservation(
        start_ns=end_ns - 3 * SECOND,
        end_ns=end_ns,
        source=source,
        role=role,
        speech_ratio=speech_ratio,
        hop_speech_ratio=speech_ratio,
        level_dbfs=level_dbfs,
        hop_level_dbfs=level_dbfs,
        span_ns=round(span_s * SECOND),
        gap=gap,
        emotion=emotion,
    )


def summary(
    closed_s: float,
    negative: float | None,
    *,
    role: Role = Role.STUDENTS,
    people: int = 12,
    speech_ratio: float | None = 0.5,
    window_s: float = 10.0,
) -> WindowSummary:
    """Return a window whose fused negative share is *negative*, or without evidence."""
    shares = None if negative is None else EmotionDistribution((negative, 0.0, 0.0, 0.0, 0.0, 0.0, 1 - negative))
    said = ModalitySummary(0 if shares is None else 60, shares)
    opened_s = max(closed_s - window_s, 0.0)
    return WindowSummary(
        opened_at=EPOCH + timedelta(seconds=opened_s),
        closed_at=EPOCH + timedelta(seconds=closed_s),
        opened_s=opened_s,
        closed_s=closed_s,
        role=role,
        face=said,
        voice=said,
        fused=said,
        coverage=Coverage(people=people, usable_faces=1.0, speech_ratio=speech_ratio, level_dbfs=-30.0, gaps=0),
    )
