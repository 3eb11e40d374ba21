"""The settings file: read, checked, and nothing more."""

import tomllib
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as EnvironmentFault

from edge.checked import first_fault
from edge.errors import SettingsError
from edge.privacy.policy import Mode, Policy, Purpose
from edge.role import Role
from edge.rulebook import PerHour, RuleSettings, default_rulebook

Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$")]
Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(gt=0, le=3600)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceKind(StrEnum):
    """What kind of device or file a source is."""

    CAMERA = "camera"
    CSI_CAMERA = "csi_camera"
    MICROPHONE = "microphone"
    STREAM = "stream"
    FILE = "file"
    SCREEN = "screen"
    SIMULATED = "simulated"


class SourceSettings(_Section):
    """One `[[sources]]`."""

    name: Name = Field(description="unique; it appears in health")
    kind: SourceKind
    role: Role = Role.STUDENTS
    device: int | str | None = Field(None, description="camera or microphone: index, path or name; empty: the first")
    url: str | None = Field(None, description="stream or file: address or path")
    lesson: str = Field("demo", description="simulated: a shipped lesson's name, or a file")
    loopback: bool = Field(default=False, description="screen: listen to what the computer plays as well")
    width: int = Field(1280, ge=160, le=3840)
    height: int = Field(720, ge=120, le=2160)
    fps: float = Field(10.0, gt=0, le=60)

    @model_validator(mode="after")
    def _needs_url(self) -> "SourceSettings":
        if self.kind in {SourceKind.STREAM, SourceKind.FILE} and not self.url:
            raise ValueError(f"kind {self.kind.value!r} needs url")
        return self


class PrivacySettings(_Section):
    """`[privacy]`: the operator's decision, without which the service does not start."""

    mode: Mode
    least_people: int = Field(5, ge=3)
    jurisdiction: str | None = Field(None, min_length=2, max_length=3)
    purpose: Purpose | None = None
    responsible: str | None = Field(None, min_length=2, max_length=200)
    decided_on: date | None = None
    teacher_emotions: bool = True
    retention_days: float = Field(365.0, gt=0, description="older lessons are deleted when the service starts")

    @model_validator(mode="after")
    def _allowed(self) -> "PrivacySettings":
        self.policy()
        return self

    def policy(self) -> Policy:
        """Return the decision as the stages take it."""
        return Policy(**self.model_dump(exclude={"retention_days"}))


class MqttSettings(_Section):
    """`[mqtt]`: where summaries and alerts go."""

    host: str = Field("127.0.0.1", min_length=1)
    port: int = Field(1883, ge=1, le=65535)
    username: str | None = None
    password: SecretStr | None = None
    tls_ca: Path | None = Field(None, description="certificate authority's file; switches TLS on")
    site: Name = "school"
    room: Name = "room"


class LessonSettings(_Section):
    """`[lessons]`: when lessons begin and end."""

    begin: Literal["service", "timetable", "activity", "command"] = Field(
        "service", description="service: one runs while the service does; a command may always begin and end one"
    )
    timetable: Path | None = Field(None, description="timetable: .ics, or .toml with [[lessons]]")
    group: str = Field("", max_length=100, description="the class, where the timetable does not say")
    kind: str = Field("", max_length=100, description="type of lesson, where the timetable does not say")

    @model_validator(mode="after")
    def _has_its_timetable(self) -> "LessonSettings":
        if (self.begin == "timetable") != (self.timetable is not None):
            raise ValueError("begin 'timetable' and timetable go together")
        return self


class VisionSettings(_Section):
    """`[vision]`."""

    detector: Literal["edge", "yunet"] = Field("edge", description="edge: the shipped one; yunet: your ONNX file")
    detector_path: Path | None = Field(None, description="yunet: its .onnx file")
    landmarks: Literal["edge", "mediapipe"] = Field("edge", description="edge: the shipped ones; mediapipe: your file")
    landmarks_path: Path | None = Field(None, description="mediapipe: face_landmarker.task")
    rate_hz: float = Field(5.0, gt=0, le=60, description="looks a second")
    smoothing_s: float = Field(0.6, ge=0, le=10)
    longest_px: int = Field(1280, ge=160, le=3840, description="larger frames are shrunk to this before the scan")
    scan_budget_ms: float = Field(100.0, gt=0, le=1000, description="larger frames are scanned in parts to keep to it")

    @model_validator(mode="after")
    def _has_its_file(self) -> "VisionSettings":
        if (self.detector == "yunet") != (self.detector_path is not None):
            raise ValueError("detector 'yunet' and detector_path go together")
        if (self.landmarks == "mediapipe") != (self.landmarks_path is not None):
            raise ValueError("landmarks 'mediapipe' and landmarks_path go together")
        return self


class VoiceSettings(_Section):
    """`[voice]`."""

    gate_dbfs: float = Field(-55.0, ge=-120, le=0, description="quieter windows are not read")
    least_speech: Share = 0.3


class FusionSettings(_Section):
    """`[fusion]`."""

    window_s: Annotated[float, Field(gt=0, le=180)] = 10.0
    hop_s: Seconds = 2.0
    least_s: float = Field(1.0, ge=0, description="person-seconds under which there is not enough evidence")

    @model_validator(mode="after")
    def _hop_fits(self) -> "FusionSettings":
        if self.hop_s > self.window_s:
            raise ValueError(f"hop_s ({self.hop_s}) must not be longer than window_s ({self.window_s})")
        return self


class Settings(BaseSettings):
    """The whole file; a variable such as ``EDGE_MQTT__PASSWORD`` stands in for a key that should not be in it."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        env_prefix="EDGE_",
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
    )

    sources: tuple[SourceSettings, ...] = Field(min_length=1)
    privacy: PrivacySettings
    mqtt: MqttSettings = MqttSettings()
    vision: VisionSettings = VisionSettings()
    voice: VoiceSettings = VoiceSettings()
    fusion: FusionSettings = FusionSettings()
    lessons: LessonSettings = LessonSettings()
    rules: tuple[RuleSettings, ...] = Field(default_factory=lambda: default_rulebook().rules)
    alerts_per_hour: PerHour = Field(6, description="most alerts raised in any hour of a lesson")
    state: Path = Field(Path("edge.db"), description="the database's file")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the base class names all of these
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file, and nothing else in."""
        return env_settings, init_settings

    @model_validator(mode="after")
    def _names_are_unique(self) -> "Settings":
        for what, names in (("sources", [s.name for s in self.sources]), ("rules", [r.name for r in self.rules])):
            if len(set(names)) != len(names):
                raise ValueError(f"{what} must have different names, got {', '.join(names)}")
        return self


def read_settings(path: Path) -> Settings:
    """Read a settings file.

    Raises:
        SettingsError: It is missing, not TOML, or says something that can't be; with the key's dotted path.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise SettingsError(f"{path}: no such settings file; 'edge init {path}' writes one to begin with") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: can't be read ({error})") from error
    try:
        values: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not TOML: {error}") from error
    return check_settings(values, where=str(path))


def check_settings(values: dict[str, Any], *, where: str) -> Settings:
    """Check settings that are read already.

    Raises:
        SettingsError: They say something that can't be; only the first fault is named, with its key.
    """
    # A leading underscore would reach pydantic-settings' own options instead.
    if own := [key for key in values if key.startswith("_")]:
        raise SettingsError("unknown key; check its spelling", key=f"{where}: {own[0]}")
    try:
        return Settings(**values)
    except EnvironmentFault as error:
        raise SettingsError(f"environment: {error}; one key is set as EDGE_SECTION__KEY") from None
    except ValidationError as error:
        raise first_fault(error, where=where) from None


EXAMPLE = """\
# Settings of classroom-edge; every key: docs/settings.md

[privacy]
# There is no default: choose one.
#   "observable"  presence, speech activity and loudness; no emotion model is loaded. Lawful in the EU.
#   "emotion"     emotions of the class as well. Prohibited in education and at work in the EU and EEA (Regulation (EU)
#                 2024/1689, article 5(1)(f)) except for medical or safety reasons; needs the four keys below it.
# mode = "emotion"
# jurisdiction = "CH"          # country whose law applies
# purpose = "research"         # education, research, medical, safety
# responsible = "Name of the person who answers for it"
# decided_on = 2026-01-31        # when that person decided
least_people = 5               # students' shares are withheld below this many faces
retention_days = 365           # older lessons are deleted

[mqtt]
host = "127.0.0.1"
port = 1883
site = "school"
room = "room-1"

[[sources]]
name = "front"
kind = "camera"                # camera, csi_camera, microphone, stream, file, screen, simulated
role = "students"              # students, teacher
device = 0
fps = 10

[[sources]]
name = "room-microphone"
kind = "microphone"
role = "students"

# alerts_per_hour and [[rules]]: docs/alerts.md; the rules that a box begins with need no line here.
"""
"""What `edge init` writes."""
