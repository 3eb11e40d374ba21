"""Which health reports are worth keeping: one a minute, and every change."""

import re
from datetime import datetime, timedelta

from edge.summary import Health

PERIOD = timedelta(minutes=1)
"""Least time between two reports that say the same."""

_NUMBER = re.compile(r"\d+(\.\d+)?")


class HealthSampler:
    """Picks reports; the next is due after :data:`PERIOD`, or at once when a state, an error or a fault changes.

    Numbers inside errors and faults don't count as a change: "12 messages wait" would be one every time.
    """

    def __init__(self) -> None:
        self._kept_at: datetime | None = None
        self._said: object = None

    def due(self, health: Health) -> bool:
        """Whether to keep this report."""
        states = tuple((one.name, one.state, _without_numbers(one.error or "")) for one in health.sources)
        said = states, tuple(map(_without_numbers, health.faults))
        # A calendar that was set back must not end the sampling.
        if said == self._said and self._kept_at is not None and abs(health.at - self._kept_at) < PERIOD:
            return False
        self._kept_at, self._said = health.at, said
        return True


def _without_numbers(text: str) -> str:
    return _NUMBER.sub("#", text)
