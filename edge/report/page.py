"""A lesson as one HTML page that needs nothing else: no script, no network, prints well."""

from collections.abc import Iterable, Sequence
from datetime import UTC, tzinfo
from html import escape
from importlib.resources import files
from string import Template

from edge.report.statistics import AlertSpan, RoleStatistics, alert_spans, role_statistics
from edge.report.timeline import BANDS, band_shares, clock, draw
from edge.role import Role
from edge.summary import Alert, Lesson, WindowSummary

_HATCH = (
    '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<path d="M0 0V6" stroke="currentColor" stroke-opacity=".35" stroke-width="2"/></pattern></defs>'
)


def lesson_page(
    lesson: Lesson,
    summaries: Iterable[WindowSummary],
    alerts: Iterable[Alert],
    *,
    zone: tzinfo = UTC,
    consent: str | None = None,
) -> str:
    """Return the page.

    Args:
        lesson: Which lesson.
        summaries: Of all roles, in any order.
        alerts: Beginnings and ends, in any order.
        zone: Time zone of the school.
        consent: What the people in the clip agreed to, shown at the top.
    """
    known = list(summaries)
    spans = alert_spans(alerts)
    length_s = _length_s(lesson, known)
    statistics = [role_statistics(role, known) for role in Role]
    template = Template(files(__package__).joinpath("lesson.html").read_text("utf-8"))
    return template.substitute(
        title=escape(lesson.title) or "Lesson",
        when=escape(_when(lesson, zone, length_s)),
        consent="" if consent is None else f"<section><p><b>Consent:</b> {escape(consent)}</p></section>",
        roles="".join(_role(part, spans, length_s) for part in statistics),
        legend=_legend(),
        alerts=_alerts(spans),
    )


def _length_s(lesson: Lesson, summaries: Sequence[WindowSummary]) -> float:
    seen_s = max((summary.closed_s for summary in summaries), default=0.0)
    return seen_s if lesson.ended_at is None else max(seen_s, (lesson.ended_at - lesson.started_at).total_seconds())


def _when(lesson: Lesson, zone: tzinfo, length_s: float) -> str:
    begin = lesson.started_at.astimezone(zone)
    return f"{begin:%A, %d %B %Y, %H:%M %Z}, {clock(length_s)} min{'' if lesson.ended_at else ', still running'}"


def _role(statistics: RoleStatistics, alerts: Sequence[AlertSpan], length_s: float) -> str:
    name = escape(statistics.role.value.capitalize())
    if statistics.covered_s == 0:
        return f'<section><h2>{name}</h2><p class="soft">Nothing was watched or heard.</p></section>'
    return f"<section><h2>{name}</h2>{_figures(statistics)}{draw(statistics, alerts, length_s=length_s)}</section>"


def _figures(statistics: RoleStatistics) -> str:
    items = [(f"{statistics.evidence_s / statistics.covered_s:.0%}", "of the time had enough evidence")]
    if statistics.withheld_s > 0:
        items.append((clock(statistics.withheld_s), "min withheld, too few people in view"))
    if statistics.shares is not None:
        names = (band for band, _, _ in BANDS)
        shares = dict(zip(names, band_shares(statistics.shares), strict=True))
        items += [(f"{shares[name]:.0%}", name) for name, _, _ in BANDS]
    return f'<ul class="figures">{"".join(f"<li><b>{value}</b>{words}</li>" for value, words in items)}</ul>'


def _legend() -> str:
    rows = [(style, words) for style, words, _ in BANDS]
    rows += [("unknown", "not enough evidence"), ("withheld", "withheld: too few people in view")]
    swatch = '<svg viewBox="0 0 14 14" aria-hidden="true">{defs}<rect class="{style}" width="14" height="14"/></svg>'
    return "".join(
        f"<li>{swatch.format(style=style, defs=_HATCH if style == 'withheld' else '')}{escape(words)}</li>"
        for style, words in rows
    )


def _alerts(spans: Sequence[AlertSpan]) -> str:
    if not spans:
        return '<p class="soft">None.</p>'
    rows = "".join(
        f'<tr><td class="number">{clock(span.raised_s)}</td>'
        f'<td class="number">{"not cleared" if span.cleared_s is None else clock(span.cleared_s)}</td>'
        f'<td class="number">{escape(span.role.value)}</td>'
        f"<td>{escape(span.reason)}</td></tr>"
        for span in spans
    )
    head = '<tr><th class="number">Raised</th><th class="number">Cleared</th><th>Who</th><th>Why</th></tr>'
    return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"
