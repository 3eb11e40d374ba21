"""Pictures of nothing: smooth random colours, the same for ever."""

import cv2
import numpy as np
import numpy.typing as npt


def picture(seed: int, height: int, width: int) -> npt.NDArray[np.uint8]:
    """Return RGB, shape (height, width, 3), from a 6x6 grid of random colours."""
    grid = np.random.Generator(np.random.PCG64(seed)).integers(0, 256, (6, 6, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(grid, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
