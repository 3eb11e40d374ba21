"""A window's small numbers as bytes, so that a day of them stays small.

::

    mask ─ face shares ─ voice shares ─ fused shares ─ values ─ amounts ─ (value, amount) of each engagement component
    u32       7 f32         7 f32          7 f32        f32       f16        f32     f16

Little-endian, without padding. A bit of the mask says whether its part is there: bits 0 to 2 the shares, 3 to 12
:data:`VALUES`, 13 to 19 :data:`AMOUNTS`; its highest byte is 0 without engagement, otherwise one more than the
components. What a window says is a 32-bit float (seven digits), how much it rests on a 16-bit one (three digits, at
most 65504). A value that isn't there is no evidence, an amount that isn't there is 0.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from edge.observation import Emotion, EmotionDistribution

VALUES = (
    "usable_faces",
    "speech_ratio",
    "level_dbfs",
    "attention",
    "movement",
    "talk",
    "turns_per_min",
    "overlap",
    "silence",
    "unattributed",
)
"""Names of the values, in order."""

AMOUNTS = (
    "face_effective",
    "voice_effective",
    "fused_effective",
    "face_s",
    "voice_s",
    "attention_people",
    "movement_people",
)
"""Names of the amounts of evidence, in order."""

_MASK = struct.Struct("<I")
_SHARES = 3
_FIRST_VALUE = _SHARES
_FIRST_AMOUNT = _FIRST_VALUE + len(VALUES)
_COMPONENTS = 24
_MOST = 65504.0  # largest 16-bit float


@dataclass(frozen=True, slots=True)
class Readings:
    """What :func:`pack` writes."""

    shares: Sequence[EmotionDistribution | None]
    """Face, voice, fused."""

    values: Sequence[float | None]
    """In the order of :data:`VALUES`."""

    amounts: Sequence[float]
    """In the order of :data:`AMOUNTS`."""

    components: Sequence[tuple[float, float]] | None = None
    """Value and evidence of each part of the engagement; ``None`` without engagement."""


def pack(readings: Readings) -> bytes:
    """Return the bytes of a window's numbers."""
    mask = 0
    numbers: list[float] = []
    for bit, part in enumerate(readings.shares):
        if part is not None:
            mask |= 1 << bit
            numbers += part.probabilities
    for bit, value in enumerate(readings.values, _FIRST_VALUE):
        if value is not None:
            mask |= 1 << bit
            numbers.append(value)
    for bit, amount in enumerate(readings.amounts, _FIRST_AMOUNT):
        if amount:
            mask |= 1 << bit
            numbers.append(min(amount, _MOST))
    if readings.components is not None:
        mask |= (len(readings.components) + 1) << _COMPONENTS
        for value, evidence in readings.components:
            numbers += (value, min(evidence, _MOST))
    return _layout(mask).pack(mask, *numbers)


def unpack(packed: bytes) -> Readings:
    """Return a window's numbers.

    Raises:
        ValueError: The bytes are none that :func:`pack` writes.
    """
    try:
        (mask,) = _MASK.unpack_from(packed)
        _, *numbers = _layout(mask).unpack(packed)
    except struct.error as error:
        raise ValueError(f"readings of {len(packed)} bytes can't be told: {error}") from error
    at = 0
    shares: list[EmotionDistribution | None] = []
    for bit in range(_SHARES):
        there = mask >> bit & 1
        shares.append(EmotionDistribution(tuple(numbers[at : at + len(Emotion)])) if there else None)
        at += len(Emotion) * there
    values: list[float | None] = []
    for bit in range(_FIRST_VALUE, _FIRST_AMOUNT):
        there = mask >> bit & 1
        values.append(numbers[at] if there else None)
        at += there
    amounts: list[float] = []
    for bit in range(_FIRST_AMOUNT, _FIRST_AMOUNT + len(AMOUNTS)):
        there = mask >> bit & 1
        amounts.append(numbers[at] if there else 0.0)
        at += there
    components = list(zip(numbers[at::2], numbers[at + 1 :: 2], strict=True)) if mask >> _COMPONENTS else None
    return Readings(shares, values, amounts, components)


@lru_cache(maxsize=1024)
def _layout(mask: int) -> struct.Struct:
    def there(first: int, count: int) -> int:
        return (mask >> first & ((1 << count) - 1)).bit_count()

    shares, values = there(0, _SHARES), there(_FIRST_VALUE, len(VALUES))
    amounts, components = there(_FIRST_AMOUNT, len(AMOUNTS)), max(0, (mask >> _COMPONENTS) - 1)
    return struct.Struct(f"<I{shares * len(Emotion) + values}f{amounts}e{'fe' * components}")
