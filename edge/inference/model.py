"""A model file ready to run: real numbers in, real numbers out."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.errors import ModelError
from edge.inference.quantisation import Quantisation
from edge.inference.sidecar import Sidecar, read_sidecar

Array = npt.NDArray[np.float32]


@contextmanager
def _quiet_runtime() -> Iterator[None]:
    """Keep what the runtime says of itself off standard error; it has no setting for it, and errors are raised."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


class Model:
    """One LiteRT interpreter; not to be shared between threads.

    Args:
        path: The ``.tflite`` file; its sidecar lies beside it.
        threads: Threads that one run may use.
        batch: Inputs that one run takes.

    Raises:
        ModelError: The file or its sidecar is missing, damaged, or not what this package runs.
    """

    def __init__(self, path: Path, *, threads: int = 1, batch: int = 1) -> None:
        self.path = path
        self.sidecar: Sidecar = read_sidecar(path)
        # Imported here because loading the runtime takes longer than most commands run.
        from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415

        try:
            with _quiet_runtime():
                self._interpreter: Any = Interpreter(model_path=str(path), num_threads=threads)
                self._prepare((batch, *self.sidecar.input_shape[1:]))
        except (ValueError, RuntimeError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ModelError(f"{path}: not a model LiteRT can run ({reason}); install classroom-edge again") from error
        except ModelError as error:
            raise ModelError(f"{path}: {error}; install classroom-edge again") from error

    def _prepare(self, shape: tuple[int, ...]) -> None:
        detail = self._interpreter.get_input_details()[0]
        if tuple(int(v) for v in detail["shape"]) != shape:
            self._interpreter.resize_tensor_input(detail["index"], shape)
        self._interpreter.allocate_tensors()
        detail = self._interpreter.get_input_details()[0]
        self.shape = shape
        """Shape of the input as it is now set, (batch, height, width, channels)."""
        self._input = int(detail["index"])
        self.quantisation = Quantisation.of(detail)
        """How the input is quantised, for callers that quantise pixels by table."""
        # By name, because converters do not keep the order of outputs.
        outputs = sorted(self._interpreter.get_output_details(), key=lambda d: str(d["name"]))
        self._outputs = [(int(d["index"]), Quantisation.of(d)) for d in outputs]

    def resize(self, height: int, width: int) -> None:
        """Set another frame size, for models without a fixed one; cheap when it is the same."""
        shape = (self.shape[0], height, width, self.shape[3])
        if shape != self.shape:
            self._prepare(shape)

    def run(self, values: Array) -> list[Array]:
        """Run on real numbers of :attr:`shape`; return each output as real numbers."""
        return self.run_quantised(self.quantisation.quantise(values))

    def run_quantised(self, values: npt.NDArray[np.int8]) -> list[Array]:
        """Run on numbers that are quantised already; return each output as real numbers."""
        return [quantisation.dequantise(steps) for steps, quantisation in self.run_steps(values)]

    def run_steps(self, values: npt.NDArray[np.int8]) -> list[tuple[npt.NDArray[np.int8], Quantisation]]:
        """Run on quantised numbers; return each output as it is, for callers that need few of its numbers."""
        if values.shape != self.shape:
            raise ValueError(f"{self.path.name} takes shape {self.shape}, got {values.shape}")
        self._interpreter.set_tensor(self._input, values)
        self._interpreter.invoke()
        return [(self._interpreter.get_tensor(index), q) for index, q in self._outputs]

    def pixel_table(self) -> npt.NDArray[np.int8]:
        """Return the quantised value of each of the 256 pixel values, shape (256,)."""
        low, high = self.sidecar.input_range
        pixels = np.arange(256, dtype=np.float32) / np.float32(255) * np.float32(high - low) + np.float32(low)
        return self.quantisation.quantise(pixels)
