"""Lessons with a known truth, as the windows and health reports that a box would have made of them.

Each is drawn from its seed: a class and a teacher whose shares drift and jitter, whose liveliness comes and goes, with
bursts too short to matter and single windows without evidence, and in it what the rules are there to find.
"""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from edge.metric import ACTIVE, Metric, Standing
from edge.observation import EmotionDistribution
from edge.role import Role
from edge.summary import Coverage, Health, ModalitySummary, SourceHealth, SourceState, WindowSummary
from tests.builders import EPOCH

LENGTH_S, WINDOW_S, HOP_S, HEALTH_S = 2700.0, 10.0, 2.0, 5.0
KINDS = ("negative_mood", "class_too_active", "class_too_passive", "teacher_strained", "source_lost", "no_evidence")
"""What can happen, by the name of the rule that should find it."""
_LASTS_S = {
    "negative_mood": (60, 120),
    "class_too_active": (120, 240),
    "class_too_passive": (260, 360),
    "teacher_strained": (90, 180),
    "source_lost": (60, 120),
    "no_evidence": (400, 480),
}
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Event:
    """What really happened."""

    rule: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class SimulatedLesson:
    """What happened, and what the box made of it."""

    events: tuple[Event, ...]
    summaries: tuple[WindowSummary, ...]
    health: tuple[Health, ...]


def simulate(seed: int, *, eventful: bool = True) -> SimulatedLesson:
    """Draw a lesson of 45 minutes: three events at most, or none."""
    rng = np.random.default_rng(seed)
    events = _events(rng) if eventful else ()
    at_s = np.arange(HOP_S, LENGTH_S + HOP_S / 2, HOP_S)
    people = int(rng.integers(8, 26))
    class_truth = np.full(len(at_s), rng.uniform(0.05, 0.20)) + _bursts(rng, at_s)
    teacher_truth = np.full(len(at_s), rng.uniform(0.05, 0.20))
    lively = np.zeros(len(at_s))
    for _ in range(2):
        # Group work: livelier than most minutes, and usual.
        lively += 1.2 * _within(at_s, start_s := rng.uniform(0, LENGTH_S), start_s + 180)
    blind = np.zeros(len(at_s), bool)
    for event in events:
        during = _within(at_s, event.start_s, event.end_s)
        if event.rule == "negative_mood":
            class_truth = np.where(during > 0, rng.uniform(0.60, 0.75), class_truth)
        elif event.rule == "teacher_strained":
            teacher_truth = np.where(during > 0, rng.uniform(0.75, 0.9), teacher_truth)
        elif event.rule == "class_too_active":
            lively = np.where(during > 0, rng.uniform(4.0, 6.0), lively)
        elif event.rule == "class_too_passive":
            lively = np.where(during > 0, rng.uniform(-4.5, -3.5), lively)
        else:
            blind |= during > 0
    students = _trail(class_truth) + _noise(rng, at_s, sd=0.28 / np.sqrt(people), tau_s=20)
    teacher = _trail(teacher_truth) + _noise(rng, at_s, sd=0.10, tau_s=15)
    common = _trail(lively) + _noise(rng, at_s, sd=0.6, tau_s=40)
    active = [common + _noise(rng, at_s, sd=0.8, tau_s=20) for _ in ACTIVE]
    missing = rng.random((2, len(at_s))) < 0.02
    summaries: list[WindowSummary] = []
    for i, close_s in enumerate(at_s):
        hidden = blind[i] or missing[0, i]
        standings = () if hidden else tuple(_standing(m, z[i]) for m, z in zip(ACTIVE, active, strict=True))
        summaries += [
            _window(close_s, Role.STUDENTS, None if hidden else students[i], people, people / 1.6, standings),
            _window(close_s, Role.TEACHER, None if missing[1, i] else teacher[i], 1, 1.0, ()),
        ]
    return SimulatedLesson(events, tuple(summaries), tuple(_health(events)))


def _events(rng: np.random.Generator) -> tuple[Event, ...]:
    """Draw three, one in each third of the lesson, so that no cool-down hides one and none is cut off."""
    events = []
    for third, rule in enumerate(rng.choice(KINDS, size=3, replace=False)):
        start_s = rng.uniform(30, 320) + third * LENGTH_S / 3
        events.append(Event(str(rule), start_s, start_s + rng.uniform(*_LASTS_S[rule])))
    return tuple(events)


def _bursts(rng: np.random.Generator, at_s: Floats) -> Floats:
    bursts = np.zeros(len(at_s))
    for start_s in rng.uniform(0, LENGTH_S, rng.poisson(3)):
        bursts += 0.5 * _within(at_s, start_s, start_s + rng.uniform(2, 8))
    return np.minimum(bursts, 0.5)


def _within(at_s: Floats, start_s: float, end_s: float) -> Floats:
    return ((at_s - HOP_S >= start_s - HOP_S / 2) & (at_s - HOP_S < end_s - HOP_S / 2)).astype(np.float64)


def _trail(truth: Floats) -> Floats:
    """Weigh each window's hops as the aggregator weighs its observations."""
    edges = np.arange(0, WINDOW_S + HOP_S / 2, HOP_S)
    weights = -np.diff((1 - edges / WINDOW_S) ** 3)
    padded = np.concatenate([np.full(len(weights) - 1, truth[0]), truth])
    return np.convolve(padded, weights, mode="valid")


def _noise(rng: np.random.Generator, at_s: Floats, *, sd: float, tau_s: float) -> Floats:
    keep = np.exp(-HOP_S / tau_s)
    steps = rng.normal(0, sd, len(at_s))
    noise = np.empty(len(at_s))
    value = rng.normal(0, sd)
    for i, step in enumerate(steps):
        value = keep * value + np.sqrt(1 - keep**2) * step
        noise[i] = value
    return noise


def _standing(metric: Metric, z: float) -> Standing:
    usual, spread = {Metric.LEVEL: (-35.0, 3.0), Metric.MOVEMENT: (0.1, 0.05)}.get(metric, (0.3, 0.1))
    return Standing(metric, usual + float(z) * spread, usual, spread)


def _window(
    close_s: float, role: Role, share: float | None, people: int, effective: float, standings: tuple[Standing, ...]
) -> WindowSummary:
    if share is None:
        said = ModalitySummary(0, None)
    else:
        negative = float(np.clip(share, 0.0, 1.0))
        shares = EmotionDistribution((negative, 0.0, 0.0, 0.0, 0.0, 0.0, 1 - negative))
        said = ModalitySummary(60, shares, effective)
    open_s = max(float(close_s) - WINDOW_S, 0.0)
    return WindowSummary(
        opened_at=EPOCH + timedelta(seconds=open_s),
        closed_at=EPOCH + timedelta(seconds=float(close_s)),
        opened_s=open_s,
        closed_s=float(close_s),
        role=role,
        face=said,
        voice=said,
        fused=said,
        coverage=Coverage(people=people, usable_faces=0.9, speech_ratio=0.4, level_dbfs=-30.0, gaps=0),
        standings=standings,
    )


def _health(events: tuple[Event, ...]) -> list[Health]:
    reports = []
    for at_s in np.arange(HEALTH_S, LENGTH_S, HEALTH_S):
        lost = any(e.rule == "source_lost" and e.start_s <= at_s < e.end_s for e in events)
        state = SourceState.LOST if lost else SourceState.RUNNING
        source = SourceHealth("front", Role.STUDENTS, state, "gone" if lost else None, 0, 100, 10.0, 0, 0.0, 0.1)
        reports.append(
            Health(
                EPOCH + timedelta(seconds=float(at_s)),
                (source,),
                vision_ms=8.0,
                voice_ms=3.0,
                analysed_per_s=5.0,
                late=0,
            )
        )
    return reports
