"""The live state in a terminal: a view when somebody looks, lines when a file or a pipe does."""

import threading
from collections.abc import Sequence
from typing import Any

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from edge.analysis import Analysis
from edge.capture.devices import Finding
from edge.fusion.evidence import Reliability
from edge.observation import Emotion
from edge.role import Role
from edge.summary import Alert, AlertState, Health, ModalitySummary, Outgoing, SourceState, WindowSummary

COLOURS = {
    Emotion.ANGER: "red3",
    Emotion.DISGUST: "dark_olive_green3",
    Emotion.FEAR: "medium_purple",
    Emotion.HAPPINESS: "gold1",
    Emotion.SADNESS: "dodger_blue2",
    Emotion.SURPRISE: "orange1",
    Emotion.NEUTRAL: "grey62",
}
_BAR = 46
_NO_EVIDENCE = "not enough evidence"


def share_bar(shares: ModalitySummary, width: int = _BAR) -> Text:
    """Return seven shares as one coloured bar of *width* characters."""
    if shares.shares is None:
        return Text(_NO_EVIDENCE.center(width), style="dim")
    bar, at, total = Text(), 0, 0.0
    for emotion, share in shares.shares.shares().items():
        total += share
        end = round(total * width)
        bar.append("█" * (end - at), style=COLOURS[emotion])
        at = end
    return bar


def describe(summary: WindowSummary) -> str:
    """Return a summary as one plain line."""
    clock, coverage = _clock(summary.closed_s), summary.coverage
    if summary.suppressed:
        return f"{clock} {summary.role:<8} withheld: too few people in view"
    fused = summary.fused.shares
    if fused is None:
        return f"{clock} {summary.role:<8} {_NO_EVIDENCE}"
    best = sorted(fused.shares().items(), key=lambda pair: -pair[1])[:3]
    top = ", ".join(f"{emotion} {share:.0%}" for emotion, share in best)
    return (
        f"{clock} {summary.role:<8} negative {fused.negative_share:4.0%}  ({top})  "
        f"faces {coverage.people}, speech {_percent(coverage.speech_ratio)}"
    )


class LiveView:
    """A sink that remembers the newest of everything and draws it."""

    def __init__(self, *, title: str) -> None:
        self._title = title
        self._lock = threading.Lock()
        self._summaries: dict[Role, WindowSummary] = {}
        self._alerts: list[Alert] = []
        self._health: Health | None = None

    def accept(self, item: Outgoing) -> None:
        """Remember one item."""
        with self._lock:
            match item:
                case WindowSummary():
                    self._summaries[item.role] = item
                case Alert():
                    self._alerts.append(item)
                case Health():
                    self._health = item

    def draw(self, health: Health | None = None, footer: str = "") -> Group:
        """Return what to show now.

        Args:
            health: Newer than the last one handed in, if there is.
            footer: A last line.
        """
        with self._lock:
            summaries, alerts, health = dict(self._summaries), list(self._alerts), health or self._health
        at_s = max((summary.closed_s for summary in summaries.values()), default=0.0)
        parts: list[Panel | Table | Text] = [Panel(_moods(summaries), title=f"{self._title}  {_clock(at_s)}")]
        parts.append(_alert_line(alerts))
        if health is not None:
            parts.append(_sources(health))
        if footer:
            parts.append(Text(footer, style="dim"))
        return Group(*parts)


class LineView:
    """A sink that prints a line a summary and a line an alert."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def accept(self, item: Outgoing) -> None:
        """Print one item; health only when a source is lost."""
        match item:
            case WindowSummary():
                self._print(describe(item))
            case Alert():
                self._print(f"{_clock(item.at_s)} ALERT {item.state}: {item.rule}: {item.reason}")
            case Health():
                for source in item.sources:
                    if source.state is SourceState.LOST:
                        self._print(f"source {source.name} lost: {source.error}")

    def _print(self, line: str) -> None:
        self._console.print(line, highlight=False, soft_wrap=True, markup=False)


def _moods(summaries: dict[Role, WindowSummary]) -> Table:
    table = Table.grid(padding=(0, 2))
    if not summaries:
        table.add_row(Text("waiting for the first window", style="dim"))
    for role, summary in summaries.items():
        if summary.suppressed:
            table.add_row(Text(role, style="bold"), "", Text("withheld: too few people in view"))
            continue
        for name, modality in (("faces", summary.face), ("voices", summary.voice), ("together", summary.fused)):
            negative = modality.negative_share
            figure = "" if negative is None else f"negative {negative:4.0%}"
            label = Text(role if name == "faces" else "", style="bold")
            table.add_row(label, name, share_bar(modality), figure)
        cover = summary.coverage
        level = "-" if cover.level_dbfs is None else f"{cover.level_dbfs:.0f} dBFS"
        seen = f"{cover.people} faces, {_percent(cover.usable_faces)} readable"
        table.add_row("", "", Text(f"{seen}; speech {_percent(cover.speech_ratio)}, {level}", style="dim"))
    outer = Table.grid()
    outer.add_row(table)
    outer.add_row(_legend())
    return outer


def _legend() -> Text:
    legend = Text()
    for emotion, colour in COLOURS.items():
        legend.append("■ ", style=colour)
        legend.append(f"{emotion}  ", style="dim")
    return legend


def _alert_line(alerts: list[Alert]) -> Text:
    if not alerts:
        return Text(" no alert so far", style="dim")
    last = alerts[-1]
    style = "bold white on red3" if last.state is AlertState.RAISED else "green"
    return Text(f" {_clock(last.at_s)} {last.state}: {last.reason} ", style=style)


def _sources(health: Health) -> Table:
    table = Table(box=None, padding=(0, 2), header_style="dim")
    for column in ("source", "state", "fps", "skipped frames", "lost sound", "reconnects", "last error"):
        table.add_column(column)
    for source in health.sources:
        style = "green" if source.state is SourceState.RUNNING else "yellow"
        table.add_row(
            source.name,
            Text(source.state, style=style),
            f"{source.frames_per_s:.1f}",
            str(source.dropped_frames),
            f"{source.lost_audio_s:.1f} s",
            str(source.reconnects),
            Text(source.error or ("slowed: the board can't keep up" if source.slowed else "")),
        )
    vision = "-" if health.vision_ms is None else f"{health.vision_ms:.0f} ms"
    voice = "-" if health.voice_ms is None else f"{health.voice_ms:.1f} ms"
    table.caption = f"{health.analysed_per_s:.1f} looks a second, {vision} each; window of sound {voice}"
    return table


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:02d}:{rest:02d}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def analysis_text(line: dict[str, Any], analysis: Analysis) -> Group:
    """Return one recording's result for a person."""
    table = Table.grid(padding=(0, 2))
    for role, tally in analysis.tallies.items():
        if not tally.counted.looks and not tally.counted.sounds:
            continue
        fused = tally.fused(Reliability())
        for name, modality in (("faces", tally.face), ("voices", tally.voice), ("together", fused)):
            negative = modality.negative_share
            figure = "" if negative is None else f"negative {negative:4.0%}"
            label = Text(role if name == "faces" else "", style="bold")
            table.add_row(label, name, share_bar(modality), figure)
    alerts = [Text(f"{_clock(a.at_s)} {a.state}: {a.reason}") for a in analysis.alerts]
    title = f"{line['source']}  {_clock(analysis.duration_s)}, {line['realtime_factor']} times real time"
    return Group(Panel(Group(table, _legend()), title=Text(title), expand=False), *alerts)


def findings_text(findings: Sequence[Finding]) -> Text:
    """Return what works and what does not for a person, a line each, and a second where something can be done."""
    text = Text()
    width = max((len(finding.name) for finding in findings), default=0)
    for finding in findings:
        text.append("ok       " if finding.ok else "missing  ", style="green" if finding.ok else "yellow")
        text.append(f"{finding.name:<{width}}  {finding.detail}\n")
        if finding.remedy:
            text.append(f"         {'':<{width}}  → {finding.remedy}\n", style="dim")
    text.rstrip()
    return text
