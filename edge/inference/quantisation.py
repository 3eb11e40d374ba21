"""Affine int8 quantisation (Jacob et al., 2018): real = scale * (quantised - zero point)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from edge.errors import ModelError


@dataclass(frozen=True, slots=True)
class Quantisation:
    """Scale and zero point of one tensor."""

    scale: float
    """Real distance between two neighbouring steps; more than 0."""

    zero_point: int
    """The step that stands for 0.0, in [-128, 127]."""

    @classmethod
    def of(cls, detail: Mapping[str, Any]) -> Self:
        """Read a tensor's parameters from the interpreter's description of it.

        Raises:
            ModelError: The tensor is not int8.
        """
        scale, zero_point = detail["quantization"]
        if detail["dtype"] is not np.int8 or not scale > 0:
            raise ModelError(f"tensor {detail['name']!r} is {detail['dtype'].__name__}, need quantised int8")
        return cls(float(scale), int(zero_point))

    def quantise(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.int8]:
        """Round to the nearest step; values outside the range become its ends, never wrap."""
        steps = np.rint(values / np.float32(self.scale)) + np.float32(self.zero_point)
        return np.asarray(np.clip(steps, -128, 127), np.int8)

    def dequantise(self, steps: npt.NDArray[np.int8]) -> npt.NDArray[np.float32]:
        """Return the real numbers that the steps stand for."""
        return (steps.astype(np.float32) - np.float32(self.zero_point)) * np.float32(self.scale)

    def first_step(self, value: float) -> int:
        """Return the lowest step that stands for *value* or more; beyond the range's ends where none does."""
        # A hair's breadth, so that a value that a step stands for is not lost to rounding.
        return math.ceil(value / self.scale - 1e-6) + self.zero_point
