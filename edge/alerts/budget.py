"""How many alerts an hour a teacher is asked to look at; the rest is counted and told at once."""

from collections import Counter, deque

from edge.alerts.rules import Rule
from edge.role import Role
from edge.summary import Severity

HOUR_S = 3600.0
_WORST_FIRST = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)


class Budget:
    """Counts what was raised in the last hour, and what was held back since the last digest.

    Args:
        per_hour: Most alerts raised in any 3600 s of a lesson, at least 1.
    """

    def __init__(self, per_hour: int) -> None:
        if per_hour < 1:
            raise ValueError(f"alerts_per_hour must be at least 1, got {per_hour}")
        self.per_hour = per_hour
        self._raised: deque[float] = deque(maxlen=per_hour)
        self._next_digest_s = HOUR_S
        self.held_back: Counter[str] = Counter()
        """A rule's name: alerts held back since the last digest."""
        self.since_s = 0.0
        """When the first of them would have been raised, seconds since the lesson began."""
        self._severities: set[Severity] = set()
        self._roles: set[Role] = set()

    def take(self, rule: Rule, at_s: float) -> bool:
        """Return whether an alert may be raised now; if not, it is held back."""
        if len(self._raised) == self.per_hour and at_s - self._raised[0] < HOUR_S:
            if not self.held_back:
                self.since_s = at_s
            self.held_back[rule.name] += 1
            self._severities.add(rule.severity)
            self._roles.add(rule.role)
            return False
        self._raised.append(at_s)
        return True

    def digest_is_due(self, at_s: float) -> bool:
        """Return whether a full hour of the lesson has ended since last asked, and something was held back."""
        if at_s < self._next_digest_s:
            return False
        self._next_digest_s = (at_s // HOUR_S + 1) * HOUR_S
        return bool(self.held_back)

    @property
    def severity(self) -> Severity:
        """The worst of what was held back."""
        return next((s for s in _WORST_FIRST if s in self._severities), Severity.INFO)

    @property
    def role(self) -> Role:
        """The teacher if all that was held back is about the teacher, else the students."""
        return Role.TEACHER if self._roles == {Role.TEACHER} else Role.STUDENTS

    def forget(self) -> None:
        """Begin to count anew what is held back."""
        self.held_back.clear()
        self._severities.clear()
        self._roles.clear()
