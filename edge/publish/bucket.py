"""How much one stranger may ask for: a token bucket."""


class TokenBucket:
    """Lets a burst through, and then so many a second (as in Turner, 1986; RFC 2697 has the same meter).

    Args:
        rate_per_s: Tokens that come back a second; more than 0.
        burst: Most tokens, and how many there are at first; at least 1.
    """

    def __init__(self, *, rate_per_s: float, burst: int) -> None:
        if rate_per_s <= 0 or burst < 1:
            raise ValueError(f"rate must be above 0 and burst at least 1, got {rate_per_s} and {burst}")
        self._rate_per_s, self._burst = rate_per_s, burst
        self._tokens = float(burst)
        self._at_ns: int | None = None

    def take(self, now_ns: int) -> bool:
        """Take a token; return whether there was one.

        Args:
            now_ns: Monotonic nanoseconds.
        """
        passed_s = 0.0 if self._at_ns is None else (now_ns - self._at_ns) / 1e9
        self._at_ns = now_ns
        self._tokens = min(self._tokens + passed_s * self._rate_per_s, float(self._burst))
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
