"""Which frames of a faster stream are due."""


class Cadence:
    """Thins a stream to at most a given rate, evenly, whatever the stream's own rate.

    A frame up to an eighth of a period early counts as due: a camera that already runs at the wanted rate jitters, and
    would otherwise lose every second frame.

    Args:
        rate_hz: Frames a second wanted, positive; ``None`` lets every frame through.
    """

    def __init__(self, rate_hz: float | None) -> None:
        if rate_hz is not None and rate_hz <= 0.0:
            raise ValueError(f"rate_hz must be positive, got {rate_hz}")
        self._period_ns = 0 if rate_hz is None else round(1_000_000_000 / rate_hz)
        self._next_ns: int | None = None

    def due(self, at_ns: int) -> bool:
        """Return whether the frame at *at_ns* is wanted; count it as taken when it is."""
        slack = self._period_ns // 8
        if self._next_ns is None or at_ns < self._next_ns - 2 * self._period_ns:  # first, or time was set back
            self._next_ns = at_ns
        if at_ns < self._next_ns - slack:
            return False
        self._next_ns = max(self._next_ns + self._period_ns, at_ns + self._period_ns - slack)
        return True

    def wait_s(self, now_ns: int) -> float:
        """Return the seconds until a frame is next due; 0 when one is overdue."""
        return 0.0 if self._next_ns is None else max(0, self._next_ns - now_ns) / 1e9
