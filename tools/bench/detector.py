#!/usr/bin/env python3
"""The face detector's milliseconds a megapixel against YuNet's (OpenCV), one core, one run.

detector.py YUNET.onnx
"""

import sys
import time
from collections.abc import Callable
from statistics import median

import cv2
import numpy as np
import numpy.typing as npt

from edge.service import make_detector

SIZES = ((640, 480), (1280, 720), (1920, 1080))
ROUNDS = 15

Picture = npt.NDArray[np.uint8]


def time_ms(job: Callable[[Picture], object], picture: Picture) -> float:
    """Return the milliseconds one call took."""
    begun = time.perf_counter()
    job(picture)
    return (time.perf_counter() - begun) * 1e3


def main() -> None:
    """Time both in turn on the same pictures, and print medians and ratios."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    cv2.setNumThreads(1)
    ours = make_detector(threads=1)
    theirs = cv2.FaceDetectorYN.create(sys.argv[1], "", (320, 320), 0.5, 0.45, 5000)
    generator = np.random.default_rng(1)
    for width, height in SIZES:
        coarse = generator.integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
        picture = np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
        theirs.setInputSize((width, height))
        spent: dict[str, list[float]] = {"ours": [], "YuNet": []}
        for _ in range(ROUNDS):
            spent["ours"].append(time_ms(ours.detect, picture))
            spent["YuNet"].append(time_ms(theirs.detect, picture))
        mega = width * height / 1e6
        mine, peer = median(spent["ours"]), median(spent["YuNet"])
        print(f"{width}x{height}: ours {mine:.1f} ms ({mine / mega:.1f} a megapixel), YuNet {peer:.1f}", end=" ")
        print(f"({peer / mega:.1f}), ratio {mine / peer:.2f}")


if __name__ == "__main__":
    main()
