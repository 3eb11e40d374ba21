"""What consecutive windows may tell together.

Windows overlap: each shares most of its seconds with the one before. One that was withheld would be told after all by a
later one that holds the same seconds, so none is told until it holds no second of it, counting the three seconds that
a voice's reading reaches back before its window (:data:`VOICE_S`)::

    people in view     8   8   4   4   6   7   7   8   8   8   8   8
    withheld                   x   x                                    fewer than five
    withheld as well                   x   x   x   x   x   x            hold seconds of a window that was
    told               o   o                                   o   o    open 3 s and more after its close
"""

import math

from edge.privacy.policy import Policy
from edge.privacy.withholding import withhold, without_students, without_turns
from edge.role import Role
from edge.summary import WindowSummary

VOICE_S = 3.0
"""Seconds of sound that one reading of a voice is made from."""

TURNS_S = 60.0
"""Seconds over which turns are counted, up to a window's close."""

_ROUNDING_S = 1e-6


class PolicyMemory:
    """Applies a policy to the windows of one pipeline, in order of time. Not for several threads at once.

    Args:
        policy: What the operator decided.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._short_until_s = -math.inf
        """Close of the last window with too few people."""
        self._students_withheld = False

    def apply(self, summary: WindowSummary) -> WindowSummary:
        """Return what may be judged, kept and sent of the next window."""
        told = self.policy.apply(summary)
        if summary.role is Role.STUDENTS:
            if told.suppressed:
                self._short_until_s = summary.closed_s
            elif summary.opened_s - VOICE_S < self._short_until_s - _ROUNDING_S:
                told = withhold(told)
            self._students_withheld = told.suppressed
        elif self._students_withheld:
            # Turns, overlap and silence are of both roles: few students would be heard in the teacher's window.
            told = without_students(told)
        if summary.closed_s - TURNS_S < self._short_until_s - _ROUNDING_S:
            told = without_turns(told)
        return told
