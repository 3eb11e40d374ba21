"""A recording live on the media's own clock, and analysed, through the shipped models: the same to each digit."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import count, repeat
from pathlib import Path

import av
import numpy as np
import pytest

from edge.alerts.engine import AlertEngine
from edge.alerts.rules import Rule
from edge.analysis import Analysis, analyse
from edge.capture.lesson import read_lesson
from edge.capture.recording import Recording
from edge.capture.simulated import SimulatedClassroom
from edge.clock import ClockAnchor, SystemClock
from edge.fusion.aggregator import Aggregator, Windows
from edge.fusion.coverage import Look
from edge.fusion.evidence import Reliability
from edge.media import SAMPLE_RATE, Frame
from edge.observation import VoiceObservation
from edge.pipeline import Feed, Pipeline
from edge.role import Role
from edge.service import StageOptions, make_vision, make_voice
from edge.summary import Alert, Lesson, WindowSummary
from edge.testing import ListSink
from tests.builders import EPOCH

SECONDS = 9
RATE_HZ = 5.0
WINDOWS = Windows(window_s=4.0, hop_s=1.0, least_s=0.3)
LESSON = Lesson(id="1", title="A clip", started_at=EPOCH, ended_at=None)
OPTIONS = StageOptions(rate_hz=RATE_HZ)

SCRIPT = """
title = "Two moods"
seconds = 9
[[phase]]
at_s = 0
students = { anger = 0.7, sadness = 0.3 }
teacher = "neutral"
class_voice = { emotion = "anger", phrase_s = 2.4, pause_s = 0.8 }
teacher_voice = { emotion = "anger", phrase_s = 2.4, pause_s = 0.8 }
[[phase]]
at_s = 5
students = { happiness = 1.0 }
teacher = "happiness"
class_voice = { emotion = "happiness", phrase_s = 2.0, pause_s = 0.5 }
"""


def encode(path: Path, source: SimulatedClassroom) -> Path:
    """Write a simulated class as a camera would, ten frames a second."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=10, options={"qscale": "3"})
        video.width, video.height, video.pix_fmt = 640, 360, "yuv420p"
        audio = container.add_stream("aac", rate=SAMPLE_RATE)
        audio.layout = "mono"
        heard = 0
        for item in source.items():
            if isinstance(item, Frame):
                container.mux(video.encode(av.VideoFrame.from_ndarray(item.pixels, format="rgb24")))
            else:
                sound = av.AudioFrame.from_ndarray(np.array(item.samples)[None], format="fltp", layout="mono")
                sound.sample_rate, sound.pts = SAMPLE_RATE, heard
                heard += len(item.samples)
                container.mux(audio.encode(sound))
        container.mux(video.encode())
        container.mux(audio.encode())
    return path


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[Role, Path]:
    """The class and its teacher, each as a file."""
    folder = tmp_path_factory.mktemp("clips")
    (folder / "lesson.toml").write_text(SCRIPT)
    lesson = read_lesson(folder / "lesson.toml")
    return {
        role: encode(
            folder / f"{role}.mp4", SimulatedClassroom(lesson=lesson, role=role, people=6, fps=10.0, size=(640, 360))
        )
        for role in Role
    }


def feeds(clips: dict[Role, Path], roles: Sequence[Role]) -> list[Feed]:
    """Open the clips of these roles; the teacher's camera was started 1.7 s later."""
    offsets = {Role.STUDENTS: 0, Role.TEACHER: 1_700_000_000}
    return [
        Feed(
            Recording(
                name=role.value, role=role, url=str(clips[role]), epoch_ns=offsets[role], video_rate_hz=2 * RATE_HZ
            ),
            make_vision(OPTIONS),
            make_voice(OPTIONS, source=role.value, role=role),
        )
        for role in roles
    ]


def engine() -> AlertEngine:
    """Return an engine whose ids are the same each time."""
    numbers = count()
    return AlertEngine([Rule(hold_s=2.0)], hop_s=WINDOWS.hop_s, make_id=lambda: str(next(numbers)))


def recorded(clips: dict[Role, Path], roles: Sequence[Role]) -> Analysis:
    """Analyse the clips as `edge analyze` does."""
    return analyse(feeds(clips, roles), windows=WINDOWS, reliability=Reliability(), engine=engine(), lesson=LESSON)


def live(clips: dict[Role, Path], roles: Sequence[Role]) -> ListSink:
    """Run the clips as `edge run` does on the media's own clock."""
    sink, to_utc = ListSink(), ClockAnchor(0, EPOCH).to_utc
    pipeline = Pipeline(
        feeds=feeds(clips, roles),
        make_aggregator=lambda epoch_ns: Aggregator(
            epoch_ns=epoch_ns, to_utc=to_utc, windows=WINDOWS, reliability=Reliability(), roles=roles
        ),
        to_utc=to_utc,
        policy=None,
        engine=engine(),
        sinks=[sink],
        clock=SystemClock(),
        delays=lambda: repeat(1.0),
        lesson=LESSON,
        media_clock=True,
    )
    pipeline.start()
    assert pipeline.wait(100)
    return sink


def by_hand(clips: dict[Role, Path], roles: Sequence[Role]) -> tuple[list[WindowSummary], list[Alert]]:
    """Read one clip after the other in this thread, and judge what was found once all is known."""
    found: list[Look | VoiceObservation] = []
    end_ns = 0
    for feed in feeds(clips, roles):
        frames: list[int] = []
        for item in feed.source.items():
            if isinstance(item, Frame):
                frames.append(item.captured_ns)
                assert feed.vision is not None
                faces = feed.vision.observe(item)
                if faces is not None:
                    found.append(Look(item.captured_ns, item.source, item.role, faces))
            else:
                end_ns = max(end_ns, item.end_ns)
                assert feed.voice is not None
                found += feed.voice.observe(item)
        end_ns = max(end_ns, 2 * frames[-1] - frames[-2])
    to_utc = ClockAnchor(0, EPOCH).to_utc
    aggregator = Aggregator(epoch_ns=0, to_utc=to_utc, windows=WINDOWS, reliability=Reliability(), roles=roles)
    for observed in found:
        if isinstance(observed, VoiceObservation):
            aggregator.add_sound(observed)
        else:
            aggregator.add_look(observed)
    judge = engine()
    judge.begin_lesson(EPOCH)
    summaries = aggregator.advance(end_ns)
    alerts = [alert for summary in summaries for alert in judge.judge(summary)]
    return summaries, [*alerts, *judge.end_lesson(to_utc(end_ns), end_ns / 1e9)]


@pytest.mark.parametrize("roles", [[Role.STUDENTS], list(Role)], ids=["one file", "two files"])
def test_a_clip_gives_the_same_live_and_recorded(clips: dict[Role, Path], roles: list[Role]) -> None:
    """Windows, their number, the tail, alerts: equal, and equal to one loop in one thread."""
    analysis, sink = recorded(clips, roles), live(clips, roles)
    summaries, alerts = by_hand(clips, roles)

    assert sink.summaries == analysis.summaries == summaries
    assert sink.alerts == analysis.alerts == alerts
    assert len(summaries) == len(roles) * (SECONDS + (len(roles) - 1))
    assert summaries[-1].late == 0
    assert alerts
    students = [w for w in summaries if w.role is Role.STUDENTS]
    assert sum(w.face.observations for w in students) > 100
    assert any(w.voice.shares is not None for w in students)
    ended = [item for item in sink.items if isinstance(item, Lesson)][-1]
    assert ended.ended_at == EPOCH + timedelta(seconds=analysis.duration_s)
