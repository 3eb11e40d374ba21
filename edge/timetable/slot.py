"""One lesson's place in the calendar."""

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Slot:
    """A stretch of time in which a lesson is held."""

    title: str
    group: str
    """The class; empty where nobody said."""

    kind: str
    """Type of lesson; empty where nobody said."""

    starts_at: datetime
    """UTC, inclusive."""

    ends_at: datetime
    """UTC, exclusive."""

    def __post_init__(self) -> None:
        # Times of one other zone would be compared by their clocks' faces, which go back once a year.
        if self.starts_at.tzinfo is not UTC or self.ends_at.tzinfo is not UTC:
            raise ValueError("times must be UTC")
        if self.ends_at <= self.starts_at:
            raise ValueError("a slot must end after it starts")

    def holds(self, at: datetime) -> bool:
        """Whether it is under way."""
        return self.starts_at <= at < self.ends_at
