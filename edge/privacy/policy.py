"""The operator's choice, checked: what may be computed, and what one window may tell."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from edge.clock import utc_now
from edge.privacy.withholding import tell, without_emotions
from edge.role import Role
from edge.summary import WindowSummary

_EEA = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE IS LI NO EU EEA"
# Parts of member states in which Union law holds, and the Union's own code for Greece.
_PARTS = "AX EL GF GP MF MQ RE YT"
EEA = frozenset(f"{_EEA} {_PARTS}".split())
"""ISO 3166-1 codes of the EU and the EEA."""

ARTICLE = "Regulation (EU) 2024/1689, article 5(1)(f)"
"""What prohibits reading emotions where people learn and work."""

LOWEST_GROUP = 3
"""Below this many people no setting may publish a group's shares."""

_FURTHEST_EAST = timedelta(hours=14)  # UTC+14: nowhere is it later in the day


class Mode(StrEnum):
    """What the box may work out."""

    OBSERVABLE = "observable"
    """Presence, attention, movement, speech activity and loudness; no emotion model is loaded."""

    EMOTION = "emotion"
    """Emotions of the class as well, where the law allows it."""


class Purpose(StrEnum):
    """Why emotions are read."""

    EDUCATION = "education"
    RESEARCH = "research"
    MEDICAL = "medical"
    SAFETY = "safety"


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator decided. There is no default mode: a box without a decision does not start.

    Raises:
        ValueError: The decision is incomplete, or is not allowed.
    """

    mode: Mode

    least_people: int = 5
    """Everything about the students is withheld while fewer people are in view; 3 at the lowest."""

    jurisdiction: str | None = None
    """ISO 3166-1 alpha-2 code of the country whose law applies."""

    purpose: Purpose | None = None
    responsible: str | None = None
    """The person who answers for the use."""

    decided_on: date | None = None
    """When that person decided."""

    teacher_emotions: bool = True
    """Whether mode ``emotion`` reads the teacher's as well, and not the class's alone."""

    def __post_init__(self) -> None:
        if self.least_people < LOWEST_GROUP:
            raise ValueError(f"least_people must be at least {LOWEST_GROUP}, got {self.least_people}")
        if self.mode is Mode.OBSERVABLE:
            return
        for name in ("jurisdiction", "purpose", "responsible"):
            if not (getattr(self, name) or "").strip():
                raise ValueError(f"mode 'emotion' needs {name}; or choose mode 'observable'")
        if self.decided_on is None:
            raise ValueError("mode 'emotion' needs decided_on, the date of the decision; or choose mode 'observable'")
        if self.decided_on > (latest := (utc_now() + _FURTHEST_EAST).date()):
            raise ValueError(
                f"decided_on is {self.decided_on}, in the future: this box's clock says {latest}; "
                "correct the date, or set the clock"
            )
        country = (self.jurisdiction or "").strip().upper()
        # Anything but two letters could be a member state spelt another way, such as DEU.
        if country not in EEA and not (len(country) == 2 and country.isascii() and country.isalpha()):  # noqa: PLR2004
            raise ValueError(f"jurisdiction must be a country's two letters (ISO 3166-1), got {self.jurisdiction!r}")
        medical = self.purpose in {Purpose.MEDICAL, Purpose.SAFETY}
        if country in EEA and not medical:
            raise ValueError(
                "inferring emotions 'in the areas of workplace and education institutions' is prohibited in the EU and "
                f"EEA ({ARTICLE}), of teachers, who are workers, as of students, except for medical or safety reasons; "
                "choose mode 'observable'"
            )

    @property
    def reads_emotions(self) -> bool:
        """Whether emotion models may be loaded at all."""
        return self.mode is Mode.EMOTION

    def apply(self, summary: WindowSummary) -> WindowSummary:
        """Return what one window may tell, whatever came before it; applying it again changes nothing.

        A pipeline needs :class:`edge.privacy.memory.PolicyMemory`, which also looks at the windows before.
        """
        if not self.reads_emotions or (summary.role is Role.TEACHER and not self.teacher_emotions):
            summary = without_emotions(summary)
        return tell(summary, self.least_people) if summary.role is Role.STUDENTS else summary
