"""Where everything is wired: settings in, running objects out."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from edge.alerts.engine import ALERTS_PER_HOUR, AlertEngine
from edge.alerts.rules import Rule
from edge.attendant import Attendant
from edge.capture.backoff import Backoff
from edge.capture.camera import Camera
from edge.capture.csi_camera import CsiCamera
from edge.capture.lesson import read_lesson
from edge.capture.microphone import Microphone
from edge.capture.portaudio import loopback_device
from edge.capture.recording import Recording
from edge.capture.screen import Screen
from edge.capture.simulated import SimulatedClassroom
from edge.channel import Passed
from edge.clock import Clock, ClockAnchor, SystemClock, utc_now
from edge.config import LessonSettings, Settings, SourceKind, SourceSettings
from edge.errors import StoreError
from edge.fusion.aggregator import Aggregator, Windows
from edge.fusion.baseline import ClassBaseline, LessonDigest
from edge.fusion.evidence import Reliability
from edge.inference.model import Model
from edge.inference.sidecar import models_folder
from edge.pipeline import Feed, Pipeline
from edge.ports import MediaSource, Sink
from edge.privacy.policy import Policy
from edge.publish.mqtt import MqttPublisher
from edge.publish.outbox import Outbox
from edge.publish.topics import Topics
from edge.role import Role
from edge.sdnotify import notify
from edge.store.store import Store
from edge.summary import Lesson, SourceState, new_lesson
from edge.timetable.activity import ActivityTrigger
from edge.timetable.keeper import LessonKeeper
from edge.timetable.read import read_timetable
from edge.vision.detector import FaceDetector
from edge.vision.emotion import FaceEmotion
from edge.vision.landmarks import FaceLandmarks
from edge.vision.mediapipe_landmarks import MediaPipeLandmarks
from edge.vision.scan import Detector, Scanner
from edge.vision.stage import Landmarks, VisionStage
from edge.vision.yunet import YuNetDetector
from edge.voice.stage import VoiceStage

_LOG = logging.getLogger(__name__)

_STALLED_S = 30.0


@dataclass(frozen=True, slots=True)
class StageOptions:
    """How frames and sound are read."""

    rate_hz: float = 5.0
    smoothing_s: float = 0.6
    longest_px: int = 1280
    gate_dbfs: float = -55.0
    least_speech: float = 0.3
    emotions: bool = True
    """Whether emotion models may be loaded."""
    threads: int = 1
    """Threads a model may use."""
    yunet: Path | None = None
    """YuNet's file, to use it in place of the shipped detector."""
    mediapipe: Path | None = None
    """MediaPipe's task file, to use it in place of the shipped landmarks."""
    scan_budget_ms: float | None = None
    """Milliseconds that detection may take a look; ``None`` scans whole frames."""
    still_s: float = 1.0
    """Seconds for which the reading of a face that keeps still holds; 0 reads it at every look."""
    adapt: bool = False
    """Whether to do less when looks take too long; for live sources."""

    @classmethod
    def of(cls, settings: Settings) -> "StageOptions":
        """Take them from the settings."""
        return cls(
            rate_hz=settings.vision.rate_hz,
            smoothing_s=settings.vision.smoothing_s,
            longest_px=settings.vision.longest_px,
            gate_dbfs=settings.voice.gate_dbfs,
            least_speech=settings.voice.least_speech,
            emotions=settings.privacy.policy().reads_emotions,
            yunet=settings.vision.detector_path,
            mediapipe=settings.vision.landmarks_path,
            scan_budget_ms=settings.vision.scan_budget_ms,
            adapt=True,
        )


def make_vision(options: StageOptions) -> VisionStage:
    """Load the face models for one source."""
    path = models_folder() / "face_emotion.tflite"
    emotion = None
    if options.emotions:
        emotion = FaceEmotion(Model(path, threads=options.threads), batch=Model(path, threads=options.threads, batch=8))
    detector: Detector = (
        make_detector(longest_px=options.longest_px, threads=options.threads)
        if options.yunet is None
        else YuNetDetector(options.yunet, longest_px=options.longest_px)
    )
    return VisionStage(
        scanner=Scanner(detector, budget_ms=options.scan_budget_ms),
        emotion=emotion,
        landmarks=make_landmarks(options),
        rate_hz=options.rate_hz,
        smoothing_s=options.smoothing_s,
        still_s=options.still_s,
        adapt=options.adapt,
    )


def make_landmarks(options: StageOptions) -> Landmarks:
    """Load what reads a face's key points and pose."""
    if options.mediapipe is not None:
        return MediaPipeLandmarks(options.mediapipe)
    return FaceLandmarks(Model(models_folder() / "face_landmarks.tflite", threads=options.threads))


def make_detector(*, confidence: float | None = None, longest_px: int = 1920, threads: int = 1) -> FaceDetector:
    """Load the face detector."""
    model = Model(models_folder() / "face_detector.tflite", threads=threads)
    return FaceDetector(model, confidence=confidence, longest_px=longest_px)


def make_voice(options: StageOptions, *, source: str, role: Role) -> VoiceStage:
    """Load the voice model for one source."""
    path = models_folder() / "voice_emotion.tflite"
    return VoiceStage(
        model=Model(path, threads=1) if options.emotions else None,
        source=source,
        role=role,
        least_speech=options.least_speech,
        gate_dbfs=options.gate_dbfs,
    )


def make_source(settings: SourceSettings, clock: Clock) -> MediaSource:
    """Make a live source; its device is opened when it is read.

    Raises:
        SettingsError: A simulated source's lesson can't be used.
    """
    name, role, device = settings.name, settings.role, settings.device
    match settings.kind:
        case SourceKind.CAMERA:
            return Camera(
                name=name,
                role=role,
                device=0 if device is None else device,
                width=settings.width,
                height=settings.height,
                fps=settings.fps,
                clock=clock,
            )
        case SourceKind.CSI_CAMERA:
            return CsiCamera(
                name=name,
                role=role,
                device=int(device or 0),
                width=settings.width,
                height=settings.height,
                fps=settings.fps,
                clock=clock,
            )
        case SourceKind.MICROPHONE:
            return Microphone(name=name, role=role, device=device, clock=clock)
        case SourceKind.STREAM | SourceKind.FILE:
            return Recording(name=name, role=role, url=settings.url or "", clock=clock, video_rate_hz=settings.fps)
        case SourceKind.SCREEN:
            return Screen(
                name=name,
                role=role,
                monitor=int(device or 1),
                fps=min(settings.fps, 10.0),
                sound=loopback_device() if settings.loopback else None,
                clock=clock,
            )
        case SourceKind.SIMULATED:
            lesson = read_lesson(settings.lesson)
            return SimulatedClassroom(name=name, role=role, lesson=lesson, fps=settings.fps, clock=clock)


def make_feed(source: MediaSource, options: StageOptions, *, kind: SourceKind) -> Feed:
    """Give a source the stages that its kind can use, each with models of its own."""
    vision = None if kind is SourceKind.MICROPHONE else make_vision(options)
    deaf = {SourceKind.CAMERA, SourceKind.CSI_CAMERA}
    voice = None if kind in deaf else make_voice(options, source=source.name, role=source.role)
    return Feed(source, vision, voice)


def delays() -> Iterator[float]:
    """Return the waits between attempts to open a lost source, seconds."""
    return iter(Backoff())


def make_pipeline(  # noqa: PLR0913 - all that a pipeline is made of
    feeds: Iterable[Feed],
    *,
    rules: Iterable[Rule],
    windows: Windows,
    policy: Policy | None,
    sinks: Iterable[Sink],
    clock: Clock,
    lesson: Lesson | None,
    alerts_per_hour: int = ALERTS_PER_HOUR,
    usual: Callable[[Lesson], Iterable[LessonDigest]] = lambda _: (),
    watch: Callable[[Passed], None] | None = None,
    faults: Callable[[], Iterable[str]] = tuple,
) -> Pipeline:
    """Join feeds, fusion, baseline, alerts and sinks.

    Args:
        feeds: Sources with their stages.
        rules: What rings.
        windows: How time is cut.
        policy: What may be told; ``None`` tells all.
        sinks: Where it goes.
        clock: The one the sources stamp with.
        alerts_per_hour: Most alerts raised in an hour.
        usual: Returns what a lesson's class did in its last lessons.
        lesson: Begins at once; ``None`` waits until one is begun.
        watch: Told of everything that the stages see and hear.
        faults: Names what is wrong with the box.
    """
    feeds = tuple(feeds)
    anchor = ClockAnchor.take(clock)
    roles = [role for role in Role if any(feed.source.role is role for feed in feeds)]
    return Pipeline(
        feeds=feeds,
        make_aggregator=lambda epoch_ns: Aggregator(
            epoch_ns=epoch_ns, to_utc=anchor.to_utc, windows=windows, reliability=Reliability(), roles=roles
        ),
        to_utc=anchor.to_utc,
        policy=policy,
        make_baseline=lambda lesson: ClassBaseline(usual(lesson), window_s=windows.window_s).apply,
        engine=AlertEngine(
            rules,
            hop_s=windows.hop_s,
            alerts_per_hour=alerts_per_hour,
            reads_emotions=policy is None or policy.reads_emotions,
        ),
        sinks=sinks,
        clock=clock,
        delays=delays,
        lesson=lesson,
        watch=watch,
        faults=faults,
    )


def make_keeper(settings: LessonSettings) -> LessonKeeper | None:
    """Make what says when lessons begin and end; ``None`` where one runs as long as the service.

    Raises:
        SettingsError: The timetable can't be used.
    """
    if settings.begin == "service":
        return None
    return LessonKeeper(
        timetable=None if settings.timetable is None else read_timetable(settings.timetable),
        activity=ActivityTrigger() if settings.begin == "activity" else None,
    )


class Service:
    """The headless service: the pipeline with a store and a publisher.

    Args:
        settings: The checked settings file.

    Raises:
        EdgeError: A model, a lesson, the database or the publisher's settings can't be used.
    """

    def __init__(self, settings: Settings) -> None:
        clock = SystemClock()
        options = StageOptions.of(settings)
        lessons, rules = settings.lessons, [rule.rule() for rule in settings.rules]
        keeper = make_keeper(lessons)
        feeds = [make_feed(make_source(s, clock), options, kind=s.kind) for s in settings.sources]
        mqtt = settings.mqtt
        self._store = Store(settings.state)
        self._attendant = Attendant(
            keeper=keeper,
            store=self._store,
            rules=frozenset(rule.name for rule in rules),
            group=lessons.group,
            kind=lessons.kind,
        )
        self._outbox = Outbox(settings.state.with_name(settings.state.stem + "-outbox.db"))
        self._publisher = MqttPublisher(
            host=mqtt.host,
            port=mqtt.port,
            topics=Topics(site=mqtt.site, room=mqtt.room),
            username=mqtt.username,
            password=mqtt.password.get_secret_value() if mqtt.password else None,
            tls_ca=mqtt.tls_ca,
            outbox=self._outbox,
            on_command=self._attendant.carry_out,
        )
        fusion = settings.fusion
        self.pipeline = make_pipeline(
            feeds,
            rules=rules,
            windows=Windows(fusion.window_s, fusion.hop_s, fusion.least_s),
            policy=settings.privacy.policy(),
            sinks=[self._store, self._publisher],
            clock=clock,
            alerts_per_hour=settings.alerts_per_hour,
            usual=self._usual,
            lesson=new_lesson(utc_now(), group=lessons.group, kind=lessons.kind) if keeper is None else None,
            watch=self._attendant.watch,
            faults=self._faults,
        )
        self._attendant.attend(self.pipeline)
        self._retention_days = settings.privacy.retention_days

    def run(self, stop: threading.Event) -> None:
        """Run until *stop* is set or all sources have ended.

        Raises:
            Exception: What a stage died of.
        """
        cleaned_on = self._clean()
        self._publisher.start()
        self.pipeline.start()
        notify("READY=1")
        try:
            while not self.pipeline.wait(timeout_s=0.5):
                if stop.is_set():
                    self.pipeline.stop()
                    self.pipeline.wait()
                    return
                self._attendant.tick()
                if utc_now().date() != cleaned_on:
                    cleaned_on = self._clean()
                if self._data_flows():
                    notify("WATCHDOG=1")
        finally:
            notify("STOPPING=1")
            self.pipeline.stop()
            self._publisher.close()
            self._store.close()
            self._outbox.close()

    def _clean(self) -> date:
        """Delete what is older than may be kept; a disk that refuses is told and does not stop the lesson."""
        try:
            self._store.delete_older_than(self._retention_days)
        except StoreError as error:
            _LOG.warning("old lessons are not deleted: %s", error)
        return utc_now().date()

    def _usual(self, lesson: Lesson) -> list[LessonDigest]:
        """Return what the class did in its last lessons; a database that can't be read stops no lesson."""
        try:
            return self._store.recent_digests(lesson.group, lesson.kind)
        except StoreError as error:
            _LOG.warning("what is usual for this class is not known: %s", error)
            return []

    def _faults(self) -> Iterator[str]:
        stats = self._store.stats()
        yield from filter(None, (stats.error, stats.damage, self._attendant.fault))

    def _data_flows(self) -> bool:
        """Whether every source delivers, or is known to be lost: a silent hang is neither."""
        return all(
            source.state is not SourceState.RUNNING or (source.idle_s or 0.0) < _STALLED_S
            for source in self.pipeline.health().sources
        )
