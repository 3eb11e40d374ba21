"""Single pictures from files."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from edge.errors import MediaError

_MOST_PIXELS = 64_000_000


def read_image(path: Path) -> npt.NDArray[np.uint8]:
    """Read a picture as RGB, shape (height, width, 3), whatever its own colours are.

    Raises:
        MediaError: It can't be read, or has more than 64 million pixels.
    """
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise MediaError(f"{path}: can't be read ({error.strerror})") from error
    try:
        bgr = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
    except cv2.error as error:
        raise MediaError(f"{path}: not an image that can be decoded") from error
    if bgr is None:
        raise MediaError(f"{path}: not an image that can be decoded")
    if bgr.shape[0] * bgr.shape[1] > _MOST_PIXELS:
        raise MediaError(f"{path}: {bgr.shape[1]}x{bgr.shape[0]} pixels are too many; shrink it below 64 megapixels")
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
