"""How long to wait before a lost source is opened again."""

import random
from typing import Self


class Backoff:
    """Endless iterator of waits in seconds: exponential, with full jitter.

    The n-th wait is uniform in [0, min(cap, base * 2**n)]; many boxes that lose the same broker or power strip
    therefore don't come back in step (M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015).

    Args:
        base_s: Upper bound of the first wait in seconds, positive.
        cap_s: Upper bound of every wait in seconds, at least *base_s*.
        rng: Source of the jitter; a seeded one makes the waits repeatable.
    """

    def __init__(self, *, base_s: float = 0.5, cap_s: float = 30.0, rng: random.Random | None = None) -> None:
        if not 0.0 < base_s <= cap_s:
            raise ValueError(f"need 0 < base_s <= cap_s, got {base_s} and {cap_s}")
        self._base_s = base_s
        self._cap_s = cap_s
        self._rng = random.Random() if rng is None else rng  # noqa: S311  # spreads load, guards no secret
        self._bound_s = base_s

    def reset(self) -> None:
        """Start over after a success."""
        self._bound_s = self._base_s

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> float:
        wait_s = self._rng.uniform(0.0, self._bound_s)
        self._bound_s = min(self._bound_s * 2.0, self._cap_s)
        return wait_s
