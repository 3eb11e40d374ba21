"""What a room can be told to do, as whoever does it sees it: checked, and free of the wire."""

from dataclasses import dataclass

from edge.summary import Verdict


@dataclass(frozen=True, slots=True)
class BeginLesson:
    """Begin a lesson now; one that runs ends."""

    title: str = ""
    """Empty: whoever does it finds one."""

    group: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class EndLesson:
    """End the lesson that runs."""


@dataclass(frozen=True, slots=True)
class Snooze:
    """Raise nothing for a while."""

    minutes: float

    rule: str | None = None
    """Name of the rule; ``None`` means all."""


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """A teacher has seen an alert."""

    alert_id: str


@dataclass(frozen=True, slots=True)
class GiveFeedback:
    """A teacher says what an alert was worth."""

    alert_id: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Mark:
    """Note what happens now in the lesson."""

    kind: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class PauseSensing:
    """Look and listen no more for a while."""

    minutes: float | None = None
    """``None``: until told to resume."""


@dataclass(frozen=True, slots=True)
class ResumeSensing:
    """Look and listen again."""


@dataclass(frozen=True, slots=True)
class SetRule:
    """Change a rule's numbers; ``None`` leaves one as it is."""

    name: str
    raise_at: float | None = None
    clear_at: float | None = None

    hold_s: float | None = None
    """Seconds."""


@dataclass(frozen=True, slots=True)
class Ping:
    """Do nothing, and say so."""


Command = (
    BeginLesson | EndLesson | Snooze | Acknowledge | GiveFeedback | Mark | PauseSensing | ResumeSensing | SetRule | Ping
)
"""Everything a room can be told."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a command."""

    error: str | None = None
    """One line: why it was not done, and what to do; ``None`` when it was."""


DONE = Reply()
"""It was done."""
