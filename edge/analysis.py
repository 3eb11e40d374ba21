"""A recording from beginning to end, through the same stages as live, as fast as it goes."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from edge.alerts.engine import AlertEngine
from edge.clock import ClockAnchor, utc_now
from edge.errors import MediaError
from edge.fusion.aggregator import Aggregator, Windows
from edge.fusion.coverage import Look
from edge.fusion.evidence import Reliability
from edge.fusion.tally import Tally
from edge.media import AudioBlock, Frame
from edge.observation import VoiceObservation
from edge.ports import MediaSource, VisionStage, VoiceStage
from edge.role import Role
from edge.summary import Alert, WindowSummary

_REORDER_NS = 1_000_000_000
"""How far a container's picture and sound may be out of step."""


@dataclass(slots=True, eq=False)
class Analysis:
    """What a recording showed."""

    duration_s: float = 0.0
    """Seconds of media read."""

    elapsed_s: float = 0.0
    """Seconds it took."""

    tallies: dict[Role, Tally] = field(default_factory=lambda: {role: Tally() for role in Role})
    summaries: list[WindowSummary] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)

    damage: str | None = None
    """What ended the reading early, in one line."""


def analyse(
    source: MediaSource,
    *,
    vision: VisionStage | None,
    voice: VoiceStage | None,
    windows: Windows,
    reliability: Reliability,
    engine: AlertEngine,
    progress: Callable[[float], None] = lambda _: None,
) -> Analysis:
    """Run a source without a clock, whose time starts at 0, to its end.

    Args:
        source: Delivers as fast as it is read.
        vision: Reads its frames; ``None`` leaves them unread.
        voice: Reads its sound; ``None`` leaves it unread.
        windows: How time is cut.
        reliability: Of the two models.
        engine: Judges the windows.
        progress: Told the seconds of media read so far.

    Raises:
        SourceMissingError: It isn't there.
        MediaError: Nothing of it could be read; damage further on ends the analysis with what came before.
    """
    anchor = ClockAnchor(0, utc_now())
    aggregator = Aggregator(
        epoch_ns=0, to_utc=anchor.to_utc, windows=windows, reliability=reliability, roles=(source.role,)
    )
    result, begun = Analysis(), time.perf_counter()
    tally = result.tallies[source.role]
    # Where reading has got to, and when the last frame ends.
    reached_ns, frame_end_ns = 0, 0
    frame_ns: int | None = None

    def close_until(now_ns: int) -> None:
        for summary in aggregator.advance(now_ns):
            result.summaries.append(summary)
            result.alerts += engine.judge(summary)

    try:
        for item in source.items():
            if isinstance(item, Frame):
                # A frame lasts until the next; the last one as long as the one before it.
                length_ns = 0 if frame_ns is None else max(item.captured_ns - frame_ns, 0)
                frame_ns, frame_end_ns = item.captured_ns, item.captured_ns + length_ns
                reached_ns = max(reached_ns, item.captured_ns)
                if vision is not None and (faces := vision.observe(item)) is not None:
                    look = Look(item.captured_ns, item.source, item.role, faces)
                    aggregator.add_look(look)
                    tally.add_look(look)
            else:
                reached_ns = max(reached_ns, item.end_ns)
                for sound in _heard(voice, item):
                    aggregator.add_sound(sound)
                    tally.add_sound(sound)
            close_until(reached_ns - _REORDER_NS)
            progress(reached_ns / 1e9)
    except MediaError as error:
        if reached_ns == 0:
            raise
        result.damage = str(error)
    end_ns = max(reached_ns, frame_end_ns)
    close_until(end_ns)
    result.duration_s, result.elapsed_s = end_ns / 1e9, time.perf_counter() - begun
    return result


def _heard(voice: VoiceStage | None, block: AudioBlock) -> Iterable[VoiceObservation]:
    return () if voice is None else voice.observe(block)
