"""Short ways to make what leaves the box, next to the summaries of :mod:`tests.builders`."""

from datetime import timedelta

from edge.role import Role
from edge.summary import Alert, AlertState, Health, SourceHealth, SourceState
from tests.builders import EPOCH


def alert(
    name: str = "a",
    state: AlertState = AlertState.RAISED,
    *,
    at_s: float = 46.0,
    role: Role = Role.STUDENTS,
    reason: str = "negative 44% of students",
) -> Alert:
    """Return an alert's beginning or end."""
    return Alert(
        id=name,
        rule="negative",
        state=state,
        role=role,
        at=EPOCH + timedelta(seconds=at_s),
        at_s=at_s,
        since_s=at_s - 10,
        reason=reason,
        value=0.44,
        threshold=0.4,
    )


def health(*, error: str | None = None) -> Health:
    """Return the health of a box with one camera."""
    camera = SourceHealth("front", Role.STUDENTS, SourceState.RUNNING, error, 1, 600, 10.04, 3, 0.0, 0.12)
    return Health(EPOCH, (camera,), 41.23, None, 4.96, 2)
