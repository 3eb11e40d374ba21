"""What rings: rules as data."""

from dataclasses import dataclass

from edge.role import Role


@dataclass(frozen=True, slots=True)
class Rule:
    """Rings when a role's negative share stays high, falls silent when it stays low again."""

    name: str = "negative_mood"
    """Unique; it names the alert on the wire."""

    role: Role = Role.STUDENTS

    raise_at: float = 0.40
    """Negative share in (0, 1] from which the condition is met."""

    clear_below: float = 0.28
    """Negative share below which it is over; less than *raise_at*, so that a value between them changes nothing."""

    hold_s: float = 10.0
    """Seconds for which either must last before anything happens."""

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("a rule needs a name")
        if not 0.0 < self.raise_at <= 1.0:
            raise ValueError(f"raise_at must be in (0, 1], got {self.raise_at}")
        if not 0.0 <= self.clear_below < self.raise_at:
            raise ValueError(f"clear_below must be in [0, raise_at), got {self.clear_below} with {self.raise_at}")
        if self.hold_s < 0:
            raise ValueError(f"hold_s must not be negative, got {self.hold_s}")
