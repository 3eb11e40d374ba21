"""Whether a face can be read at all: too small, too blurred, too dark or turned away gives no emotion."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Quality:
    """What limits the reading of one face."""

    side_px: float
    """Root of the detector box's area, pixels of the frame."""

    sharpness: float
    """Energy of the finest details over the crop's contrast: 0.05 for a sharp face of 48 pixels, 0.001 for a blurred
    one."""

    light: float
    """Brightness that a twentieth of the crop's pixels exceed, in [0, 1]."""

    contrast: float
    """Standard deviation of the brightness, in [0, 1]."""


@dataclass(frozen=True, slots=True)
class Gate:
    """The limits below which a face is not read; chosen where held-out accuracy falls below 60 %."""

    side_px: float = 18.0
    sharpness: float = 0.0006
    light: float = 0.09
    contrast: float = 0.02
    yaw_deg: float = 60.0
    """Heads turned further to a side are not read, degrees."""

    def passes(self, quality: Quality, yaw_deg: float | None = None) -> bool:
        """Return whether a face is good enough; an unknown *yaw_deg* does not stop it."""
        return (
            quality.side_px >= self.side_px
            and quality.sharpness >= self.sharpness
            and quality.light >= self.light
            and quality.contrast >= self.contrast
            and (yaw_deg is None or abs(yaw_deg) <= self.yaw_deg)
        )


def quality_of(crop: npt.NDArray[np.uint8], side_px: float) -> Quality:
    """Measure one grey crop, shape (48, 48), of a face whose box measures *side_px*.

    Sharpness is the variance of the Laplacian (Pech-Pacheco et al., 2000) over 16 times the crop's own variance, so
    that a dim or flat picture is not taken for a blurred one.
    """
    mean, deviation = (float(v[0, 0]) for v in cv2.meanStdDev(crop))
    details = float(cv2.meanStdDev(cv2.Laplacian(crop, cv2.CV_32F))[1][0, 0])
    bright = float(np.partition(crop.ravel(), -crop.size // 20)[-crop.size // 20])
    variance = deviation**2
    # Rounding to whole grey levels alone gives a Laplacian of this variance.
    energy = max(details**2 - 20 / 12, 0.0)
    sharpness = energy / (16 * variance) if variance > 0 else 0.0
    return Quality(side_px, sharpness, max(bright, mean) / 255, deviation / 255)
