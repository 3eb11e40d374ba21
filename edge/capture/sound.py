"""Any sound to 16 kHz mono blocks on the pipeline's clock."""

from collections.abc import Iterator

import av
import numpy as np

from edge.media import SAMPLE_RATE, AudioBlock
from edge.role import Role

_FULL_SCALE = np.float32(2**31)
_SECOND_NS = 1_000_000_000


class SoundStream:
    """Resamples one stream of sound without clicks and stamps what comes out by counting samples.

    Counting keeps blocks seamless where the stamps that come in jitter. Where they move away from the count by more
    than *tolerance_s*, sound was lost: the resampler is drained, the count starts again, and the next block says
    ``gap``.

    Args:
        name: Name of the source.
        role: Whom it listens to.
        tolerance_s: Seconds by which a stamp may differ from the count.
        pull: Share of that difference taken back at each block, in [0, 1). Above 0 for live devices, whose crystal runs
            away from the system's clock by some 100 ppm; 0 for files, whose stamps are exact.
    """

    def __init__(self, *, name: str, role: Role, tolerance_s: float, pull: float = 0.0) -> None:
        self._name = name
        self._role = role
        self._tolerance_ns = round(tolerance_s * _SECOND_NS)
        self._pull = pull
        self._resampler: av.AudioResampler | None = None
        self._signature: tuple[int, str, str] | None = None
        self._anchor_ns = 0  # clock at sample 0 since the last start
        self._fed_ns = 0  # length of what went in since then
        self._made = 0  # samples that came out since then
        self._shift_ns = 0  # what stamps that ran back are moved by
        self._gap = False

    @property
    def end_ns(self) -> int:
        """Clock just after the last sample that came out; 0 before the first."""
        return self._anchor_ns + self._made * _SECOND_NS // SAMPLE_RATE

    def push(self, frame: av.AudioFrame, start_ns: int | None, *, lost: bool = False) -> Iterator[AudioBlock]:
        """Take one decoded frame of any rate, format and channel count; yield what is ready, usually one block.

        Args:
            frame: Its ``pts`` is cleared.
            start_ns: Clock at its first sample; ``None`` when it simply follows the one before.
            lost: Whether the driver says that sound was lost just before it.
        """
        signature = (frame.sample_rate, frame.layout.name, frame.format.name)
        if self._resampler is None:
            self._restart(start_ns or 0, signature, gap=lost)
        elif start_ns is not None:
            yield from self._follow(start_ns + self._shift_ns, signature, lost=lost)
        if signature != self._signature:
            yield from self.flush()
            self._restart(self.end_ns, signature, gap=False)
        frame.pts = None  # the count is the time from here on
        self._fed_ns += frame.samples * _SECOND_NS // frame.sample_rate
        yield from self._drain(frame)

    def flush(self) -> Iterator[AudioBlock]:
        """Yield the few samples the resampler still holds; the next push starts a new one."""
        if self._resampler is not None:
            yield from self._drain(None)
            self._resampler = None

    def _follow(self, start_ns: int, signature: tuple[int, str, str], *, lost: bool) -> Iterator[AudioBlock]:
        error_ns = start_ns - (self._anchor_ns + self._fed_ns)
        if lost or error_ns > self._tolerance_ns:
            yield from self.flush()
            self._restart(max(start_ns, self.end_ns), signature, gap=True)
        elif error_ns < -self._tolerance_ns and not self._pull:  # two takes spliced: carry on from here
            self._shift_ns -= error_ns
            self._gap = True
        else:
            self._anchor_ns += round(error_ns * self._pull)

    def _restart(self, anchor_ns: int, signature: tuple[int, str, str], *, gap: bool) -> None:
        # s32 because swresample scales a down-mix to full scale for integers only: in float, equal stereo gains 3 dB.
        self._resampler = av.AudioResampler(format="s32", layout="mono", rate=SAMPLE_RATE)
        self._signature = signature
        self._anchor_ns = anchor_ns
        self._fed_ns = 0
        self._made = 0
        self._gap = self._gap or gap

    def _drain(self, frame: av.AudioFrame | None) -> Iterator[AudioBlock]:
        if self._resampler is None:
            return
        for piece in self._resampler.resample(frame):
            samples = piece.to_ndarray().reshape(-1).astype(np.float32) / _FULL_SCALE
            if not len(samples):
                continue
            block = AudioBlock(samples, self.end_ns, self._name, self._role, gap=self._gap)
            self._gap = False
            self._made += len(samples)
            yield block
