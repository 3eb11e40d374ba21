"""What is left out when the board can't keep up: first scans, then readings; never the lesson."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """How much of the work is done."""

    scan_every: int
    """The detector runs at every so manieth look; between them, faces are followed."""

    read_every: int
    """Emotions are read at every so manieth look; between them, the last readings stand."""


EFFORTS = (Effort(1, 1), Effort(2, 1), Effort(4, 1), Effort(4, 2), Effort(4, 4))
"""From all of it to the least."""

TOO_BUSY = 0.9
"""Share of the time between two looks from which on less is done."""
IDLE = 0.4
"""Share below which more is done again; far below the other, or it would swing."""
_SMOOTHING, _MOST = 0.15, 1.5
_LOOKS_BEFORE_LESS, _LOOKS_BEFORE_MORE = 8, 40


class Governor:
    """Steps through :data:`EFFORTS` by how busy the looks are, one step at a time."""

    def __init__(self) -> None:
        self._busy = 0.0
        self._looks = 0
        self._level = 0

    @property
    def level(self) -> int:
        """Steps below full effort."""
        return self._level

    @property
    def effort(self) -> Effort:
        """What to do at present."""
        return EFFORTS[self._level]

    def step(self, busy: float) -> None:
        """Take in one look.

        Args:
            busy: Time the look took over the time until the next; above 1 it was late.
        """
        self._looks += 1
        # Cut, so that one hiccup weighs no more than any other late look.
        self._busy += _SMOOTHING * (min(busy, _MOST) - self._busy)
        if self._busy > TOO_BUSY and self._looks >= _LOOKS_BEFORE_LESS and self._level < len(EFFORTS) - 1:
            self._level, self._looks = self._level + 1, 0
        elif self._busy < IDLE and self._looks >= _LOOKS_BEFORE_MORE and self._level > 0:
            self._level, self._looks = self._level - 1, 0
