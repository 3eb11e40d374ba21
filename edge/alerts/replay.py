"""What would have rung: rules over a lesson that is over."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import count, pairwise
from statistics import median

from edge.alerts.engine import ALERTS_PER_HOUR, AlertEngine
from edge.alerts.rules import Rule
from edge.summary import Alert, Health, WindowSummary

_HOP_S = 2.0


def replay(
    summaries: Iterable[WindowSummary],
    rules: Iterable[Rule],
    *,
    health: Iterable[Health] = (),
    hop_s: float | None = None,
    alerts_per_hour: int = ALERTS_PER_HOUR,
    reads_emotions: bool = True,
) -> list[Alert]:
    """Return the alerts that a lesson would have had, to its end, by the engine that judges live.

    What a teacher answered in the lesson is not replayed. Ids count up, so equal lessons give equal alerts.

    Args:
        summaries: The lesson's windows, in any order.
        rules: Those to try.
        health: Reports of the box's health during the lesson, in any order; lost sources ring only with them.
        hop_s: Seconds between two windows of a role; ``None``: as the windows themselves say.
        alerts_per_hour: Most alerts raised in any hour.
        reads_emotions: Whether the lesson's box read emotions.
    """
    windows = sorted(summaries, key=lambda window: (window.closed_at, window.role))
    numbers = count(1)
    engine = AlertEngine(
        rules,
        hop_s=_hop(windows) if hop_s is None else hop_s,
        alerts_per_hour=alerts_per_hour,
        reads_emotions=reads_emotions,
        make_id=lambda: f"replay-{next(numbers)}",
    )
    if not windows:
        return []
    alerts = engine.begin_lesson(windows[0].closed_at - timedelta(seconds=windows[0].closed_s))
    waiting = iter(sorted(health, key=lambda report: report.at))
    report = next(waiting, None)
    for window in windows:
        while report is not None and report.at < window.closed_at:
            alerts += engine.judge_health(report)
            report = next(waiting, None)
        alerts += engine.judge(window)
    return alerts + engine.end_lesson(windows[-1].closed_at, windows[-1].closed_s)


def _hop(windows: Sequence[WindowSummary]) -> float:
    closes = sorted({window.closed_s for window in windows})
    steps = [later - earlier for earlier, later in pairwise(closes)]
    return median(steps) if steps else _HOP_S
