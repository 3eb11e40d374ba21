"""What can be observed of people without reading emotions."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What can be observed without reading emotions; every value is ``None`` without evidence."""

    attention: float | None = None
    """Share of the person-time in which heads point to the front, in [0, 1]."""

    attention_people: float = 0.0
    """Independent people behind it (Kish, 1965)."""

    movement: float | None = None
    """Middle value of the faces' motion, face widths a second."""

    movement_people: float = 0.0
    """Independent people behind it (Kish, 1965)."""

    talk: float | None = None
    """Share of the time in which this role speaks, in [0, 1]; ``None`` where speech can't be attributed."""

    turns_per_min: float | None = None
    """Changes of speaker between the roles, a minute."""

    overlap: float | None = None
    """Share of the time in which both roles speak, in [0, 1]."""

    silence: float | None = None
    """Share of the time in which nobody speaks, in [0, 1]."""

    unattributed: float | None = None
    """Share of the time in which somebody speaks and it can't be told who, in [0, 1]."""


NOTHING_SEEN = Behaviour()
"""No evidence of anything."""


@dataclass(frozen=True, slots=True)
class Component:
    """One part of the engagement; ``docs/engagement.md`` has its formula."""

    name: str
    """attention, participation, positive or calm."""

    value: float
    """In [0, 1]; more is more engaged."""

    evidence: float
    """What it rests on, in *unit*."""

    unit: str
    """people, seconds of sound, or windows."""


@dataclass(frozen=True, slots=True)
class Engagement:
    """What can be observed of a class's taking part, never as one number alone."""

    components: tuple[Component, ...]
    """Those with evidence, in a fixed order."""

    @property
    def score(self) -> float | None:
        """Mean of the components, in [0, 1]; ``None`` with fewer than two."""
        values = [component.value for component in self.components]
        return sum(values) / len(values) if len(values) > 1 else None
