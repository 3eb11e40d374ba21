"""Short ways to make what a store is given, with every field filled in."""

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from edge.behaviour import Behaviour, Component, Engagement
from edge.metric import Metric, Standing
from edge.observation import Emotion, EmotionDistribution
from edge.role import Role
from edge.summary import Coverage, Lesson, ModalitySummary, WindowSummary
from tests.builders import EPOCH

Usual = Mapping[Metric, tuple[float, float]]
"""Median and spread of each metric."""

MEASURED = tuple(metric for metric in Metric if metric is not Metric.ACTIVITY)
"""Metrics that have a usual value."""


def dice_of(seed: int | str) -> random.Random:
    """Return dice that always fall the same way."""
    return random.Random(seed)  # noqa: S311 - no secrets


def lesson(name: str = "one", *, at: datetime = EPOCH, group: str = "8b", kind: str = "lecture") -> Lesson:
    """Return a lesson that runs."""
    return Lesson(name, f"Maths {name}", at, None, group, kind)


def ended(one: Lesson, minutes: float = 45) -> Lesson:
    """Return the lesson with its end."""
    return replace(one, ended_at=one.started_at + timedelta(minutes=minutes))


def some_usual(dice: random.Random) -> Usual:
    """Return a usual value of every metric."""
    return {metric: (round(dice.random(), 5), round(0.05 + dice.random(), 5)) for metric in MEASURED}


def full_window(
    closed_s: float,
    role: Role,
    *,
    dice: random.Random,
    usual: Usual | None = None,
    start: datetime = EPOCH,
) -> WindowSummary:
    """Return a window of ten seconds in which everything that can be known of a role is known."""

    def said() -> ModalitySummary:
        shares = EmotionDistribution.of([dice.random() + 0.01 for _ in Emotion])
        return ModalitySummary(dice.randrange(400), shares, 1 + 16 * dice.random())

    at = start + timedelta(seconds=closed_s)
    share = dice.random
    names = ("attention", "participation", "positive", "calm") if role is Role.STUDENTS else ()
    parts = tuple(Component(name, share(), 17 * share(), "people") for name in names)
    window = WindowSummary(
        opened_at=at - timedelta(seconds=10),
        closed_at=at,
        opened_s=closed_s - 10,
        closed_s=closed_s,
        role=role,
        face=said(),
        voice=said(),
        fused=said(),
        coverage=Coverage(17, share(), share(), -60 * share(), 0, 170 * share(), 10 * share()),
        late=3,
        behaviour=Behaviour(
            share(), 17 * share(), share(), 17 * share(), share(), 9 * share(), share(), share(), share()
        ),
        engagement=Engagement(parts) if parts else None,
    )
    told = ((metric, window.value(metric)) for metric in usual or ())
    return replace(
        window,
        standings=tuple(Standing(metric, value, *(usual or {})[metric]) for metric, value in told if value is not None),
    )
