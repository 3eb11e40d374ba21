"""What of a window may be told: nothing of too few people, no value that rests on too few of them."""

from collections.abc import Set as AbstractSet
from dataclasses import replace

from edge.behaviour import NOTHING_SEEN, Engagement
from edge.metric import Metric
from edge.summary import Coverage, ModalitySummary, WindowSummary

NOTHING = ModalitySummary(0, None)
"""No shares, and not even how many readings there were."""

OF_EMOTIONS = frozenset({Metric.NEGATIVE, Metric.POSITIVE, Metric.VALENCE, Metric.AROUSAL})
"""Metrics worked out from shares of emotion."""

OF_BOTH_ROLES = frozenset({Metric.TURNS, Metric.OVERLAP, Metric.SILENCE})
"""Metrics of the teacher's window in which the students are heard too."""

_ROUNDING = 1e-6  # sums of floats: five equal people may come out as 4.9999999


def enough(people: float, least: int) -> bool:
    """Whether a number of people, whole or effective (Kish, 1965), reaches the least."""
    return people >= least - _ROUNDING


def tell(summary: WindowSummary, least: int) -> WindowSummary:
    """Return what of a students' window may be told on its own.

    Below *least* people in view: nothing. From there on: no value that rests on fewer than *least* of them.
    """
    if summary.suppressed or summary.coverage.people < least:
        return withhold(summary)
    few: set[Metric] = set()
    if summary.face.shares is not None and not enough(summary.face.effective, least):
        # What both say together goes as well: the faces would follow from it and from the voice.
        summary = replace(summary, face=NOTHING, fused=summary.voice)
        few |= OF_EMOTIONS
    behaviour = summary.behaviour
    if behaviour.attention is not None and not enough(behaviour.attention_people, least):
        behaviour = replace(behaviour, attention=None, attention_people=0.0)
        few.add(Metric.ATTENTION)
    if behaviour.movement is not None and not enough(behaviour.movement_people, least):
        behaviour = replace(behaviour, movement=None, movement_people=0.0)
        few.add(Metric.MOVEMENT)
    return _without(replace(summary, behaviour=behaviour), few, least)


def withhold(summary: WindowSummary) -> WindowSummary:
    """Return a window that tells nothing about people, only that it was, and how sound for the box itself.

    Even their number goes: with a timetable, "one, at 12:05" is somebody. ``people`` is 0, which in a suppressed window
    says "not told". A voice goes too, since in a nearly empty room it belongs to somebody.
    """
    return replace(
        summary,
        face=NOTHING,
        voice=NOTHING,
        fused=NOTHING,
        coverage=Coverage(people=0, usable_faces=None, speech_ratio=None, level_dbfs=None, gaps=summary.coverage.gaps),
        suppressed=True,
        behaviour=NOTHING_SEEN,
        engagement=None,
        standings=(),
    )


def without_emotions(summary: WindowSummary) -> WindowSummary:
    """Return a window from which everything about emotions is gone."""
    return _without(replace(summary, face=NOTHING, voice=NOTHING, fused=NOTHING), OF_EMOTIONS, 0)


def without_students(summary: WindowSummary) -> WindowSummary:
    """Return a teacher's window from which the share that students had in the talk is gone."""
    alone = replace(summary.behaviour, turns_per_min=None, overlap=None, silence=None, unattributed=None)
    return _without(replace(summary, behaviour=alone, engagement=None), OF_BOTH_ROLES, 0)


def without_turns(summary: WindowSummary) -> WindowSummary:
    """Return a window without the changes of speaker, and without what goes by them."""
    return _without(
        replace(summary, behaviour=replace(summary.behaviour, turns_per_min=None)), frozenset({Metric.TURNS}), 0
    )


def _without(summary: WindowSummary, metrics: AbstractSet[Metric], least: int) -> WindowSummary:
    """Return a window without what was worked out from these metrics, or from fewer than *least* people."""
    parts = () if summary.engagement is None else summary.engagement.components
    gone = {name for metric, name in _COMPONENTS.items() if metric in metrics}
    kept = tuple(
        part
        for part in parts
        if part.name not in gone and not (part.unit == "people" and not enough(part.evidence, least))
    )
    if kept != parts:
        # The usual score's window would tell the part that is gone.
        metrics = metrics | {Metric.ENGAGEMENT}
    return replace(
        summary,
        engagement=Engagement(kept) if kept else None,
        standings=tuple(standing for standing in summary.standings if standing.metric not in metrics),
    )


_COMPONENTS = {
    Metric.ATTENTION: "attention",
    Metric.TURNS: "participation",
    Metric.POSITIVE: "positive",
    Metric.MOVEMENT: "calm",
}
"""Parts of the engagement that a metric goes into."""
