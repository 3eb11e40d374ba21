"""Recordings from end to end: the stages of the live service, wired for files."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from edge.alerts.engine import AlertEngine
from edge.alerts.rules import Rule
from edge.analysis import Analysis, analyse
from edge.batch import SIMULATED, Job
from edge.capture.container import probe
from edge.capture.lesson import read_lesson
from edge.capture.recording import Recording
from edge.capture.shifted import Shifted
from edge.capture.simulated import SimulatedClassroom
from edge.config import Settings
from edge.fusion.aggregator import Windows
from edge.fusion.baseline import ClassBaseline
from edge.fusion.evidence import Evidence, Reliability
from edge.fusion.tally import Tally
from edge.pipeline import Feed
from edge.ports import MediaSource
from edge.privacy.policy import Mode, Policy
from edge.role import Role
from edge.rulebook import default_rules
from edge.service import StageOptions, make_vision, make_voice

DEFAULT_WINDOWS = Windows()


def open_recording(name: str, *, role: Role, video_rate_hz: float | None, seed: int = 0) -> MediaSource:
    """Open a file, or `simulated:LESSON`, to be read as fast as it goes.

    Raises:
        SettingsError: There is no such lesson.
    """
    if name.startswith(SIMULATED):
        lesson = read_lesson(name.removeprefix(SIMULATED))
        # An endless lesson has no end to report.
        return SimulatedClassroom(name=name, role=role, lesson=replace(lesson, loop=False), fps=25.0, seed=seed)
    return Recording(name=Path(name).name, role=role, url=name, clock=None, video_rate_hz=video_rate_hz)


def recording_length_s(name: str) -> float | None:
    """Return how long a file, or `simulated:LESSON`, says it is, seconds; ``None`` when it does not say.

    Raises:
        SettingsError: There is no such lesson.
        SourceMissingError: There is no such file.
        MediaError: It can't be read.
    """
    if name.startswith(SIMULATED):
        return read_lesson(name.removeprefix(SIMULATED)).seconds
    return probe(name).duration_s


@dataclass(frozen=True, slots=True)
class FileOptions:
    """How recordings are analysed."""

    stages: StageOptions
    windows: Windows = DEFAULT_WINDOWS
    rules: tuple[Rule, ...] = ()
    """What rings; for students unless it says otherwise."""

    policy: Policy | None = None
    """What may be told; ``None`` tells all, for drawn people and for people who agreed."""

    @classmethod
    def of(cls, settings: Settings | None, *, agreed: bool, threads: int) -> "FileOptions":
        """Take them from the service's settings, where there are some.

        Without settings nobody has decided that emotions may be read, so only what is lawful everywhere is; with the
        consent of everybody in the recording nothing is withheld.
        """
        if settings is None:
            policy = None if agreed else Policy(Mode.OBSERVABLE)
            stages = StageOptions(emotions=agreed, threads=threads)
            return cls(stages, rules=default_rules(), policy=policy)
        stages = replace(StageOptions.of(settings), adapt=False, scan_budget_ms=None, threads=threads)
        fusion = settings.fusion
        return cls(
            stages if not agreed else replace(stages, emotions=True),
            Windows(fusion.window_s, fusion.hop_s, fusion.least_s),
            tuple(rule.rule() for rule in settings.rules),
            None if agreed else settings.privacy.policy(),
        )


def analyse_job(job: Job, progress: Callable[[float], None], *, options: FileOptions) -> Analysis:
    """Analyse the recordings of one lesson together; see :func:`edge.analysis.analyse`."""
    feeds: list[Feed] = []
    stages = options.stages
    simulated = all(part.path.startswith(SIMULATED) for part in job.parts)
    if simulated:
        # Nobody in it is real.
        stages = replace(stages, emotions=True)
    for number, part in enumerate(job.parts):
        source = open_recording(part.path, role=part.role, video_rate_hz=stages.rate_hz * 2, seed=number)
        names = [feed.source.name for feed in feeds]
        if part.offset_s or source.name in names:
            # Two folders may hold files of one name.
            name = source.name if source.name not in names else f"{number + 1}-{source.name}"
            source = Shifted(source, name=name, offset_s=part.offset_s)
        feeds.append(Feed(source, make_vision(stages), make_voice(stages, source=source.name, role=part.role)))
    policy = None if simulated else options.policy
    analysis = analyse(
        feeds,
        windows=options.windows,
        reliability=Reliability(),
        engine=AlertEngine(options.rules, hop_s=options.windows.hop_s, reads_emotions=stages.emotions),
        policy=policy,
        make_baseline=lambda _: ClassBaseline(window_s=options.windows.window_s).apply,
        progress=progress,
    )
    if policy is not None:
        analysis.tallies[Role.STUDENTS] = told(analysis.tallies[Role.STUDENTS], policy.least_people)
    return analysis


def told(tally: Tally, least_people: int) -> Tally:
    """Return what may be told of the students over a whole recording: nothing of fewer than *least_people*.

    Their faces' shares need as many independent people behind them as well; a share read off one face of twelve says
    what one child showed.
    """
    if tally.counted.coverage.people < least_people:
        return Tally()
    if tally.face.effective < least_people:
        return replace(tally, face_evidence=Evidence())
    return tally
