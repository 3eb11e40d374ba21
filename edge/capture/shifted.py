"""A source that began earlier or later than its lesson."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

from edge.media import SAMPLE_RATE, AudioBlock, Frame
from edge.role import Role


class _Source(Protocol):
    @property
    def role(self) -> Role: ...
    @property
    def live(self) -> bool: ...
    def items(self) -> Iterator[Frame | AudioBlock]: ...
    def close(self) -> None: ...


class Shifted:
    """Delivers what another source does, some seconds later; what would be before the lesson's start is left out.

    Args:
        source: The one that delivers.
        name: Its name in the lesson.
        offset_s: Seconds after the lesson's start at which it began; negative for one that began before.
    """

    def __init__(self, source: _Source, *, name: str, offset_s: float) -> None:
        self._source = source
        self.name, self.role, self.live = name, source.role, source.live
        self._offset_ns = round(offset_s * 1e9)

    def items(self) -> Iterator[Frame | AudioBlock]:
        """Yield the other's items in the lesson's time."""
        for item in self._source.items():
            if isinstance(item, Frame):
                at_ns = item.captured_ns + self._offset_ns
                if at_ns >= 0:
                    yield replace(item, captured_ns=at_ns, source=self.name)
                continue
            start_ns = item.start_ns + self._offset_ns
            before = max(0, -(start_ns * SAMPLE_RATE // 1_000_000_000))
            if before < len(item.samples):
                start_ns += before * 1_000_000_000 // SAMPLE_RATE
                yield replace(item, samples=item.samples[before:], start_ns=max(start_ns, 0), source=self.name)

    def close(self) -> None:
        """End the other."""
        self._source.close()
