"""A lesson as data: what a program reads instead of the page."""

from collections.abc import Iterable
from datetime import UTC, datetime

from edge.observation import EmotionDistribution
from edge.report.statistics import AlertSpan, RoleStatistics, alert_spans, role_statistics
from edge.role import Role
from edge.summary import Alert, Lesson, WindowSummary


def lesson_json(lesson: Lesson, summaries: Iterable[WindowSummary], alerts: Iterable[Alert]) -> dict[str, object]:
    """Return what :func:`json.dumps` takes; ``None`` is "no evidence".

    Args:
        lesson: Which lesson.
        summaries: Of all roles, in any order.
        alerts: Beginnings and ends, in any order.
    """
    known = list(summaries)
    return {
        "schema_version": 1,
        "lesson": {
            "id": lesson.id,
            "title": lesson.title,
            "started_at": _utc(lesson.started_at),
            "ended_at": None if lesson.ended_at is None else _utc(lesson.ended_at),
        },
        "roles": {role.value: _role(role_statistics(role, known)) for role in Role},
        "alerts": [_alert(span) for span in alert_spans(alerts)],
    }


def _role(statistics: RoleStatistics) -> dict[str, object]:
    return {
        "covered_s": round(statistics.covered_s, 3),
        "evidence_s": round(statistics.evidence_s, 3),
        "withheld_s": round(statistics.withheld_s, 3),
        "shares": _shares(statistics.shares),
        "negative_share": None if statistics.negative_share is None else round(statistics.negative_share, 4),
        "timeline": [
            {
                "from_s": round(part.from_s, 3),
                "to_s": round(part.to_s, 3),
                "negative_share": None if part.shares is None else round(part.shares.negative_share, 4),
                "withheld": part.withheld,
            }
            for part in statistics.slices
        ],
    }


def _alert(span: AlertSpan) -> dict[str, object]:
    return {
        "rule": span.rule,
        "role": span.role.value,
        "raised_s": round(span.raised_s, 3),
        "cleared_s": None if span.cleared_s is None else round(span.cleared_s, 3),
        "reason": span.reason,
    }


def _shares(shares: EmotionDistribution | None) -> dict[str, float] | None:
    return None if shares is None else {emotion.value: round(p, 4) for emotion, p in shares.shares().items()}


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
