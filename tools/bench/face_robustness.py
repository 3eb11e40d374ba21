#!/usr/bin/env python3
"""How the shipped face emotion file bears poor pictures: face_robustness.py FER_DIR [--usage PublicTest].

Accuracy against the FER+ majority by size, blur, darkness and JPEG quality: of all faces, and of those that the
quality gate lets through, with the share it lets through.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from edge.evaluation.faces import read_fer2013
from edge.inference.model import Model
from edge.inference.sidecar import models_folder
from edge.vision.emotion import LEAST_CONFIDENCE, FaceEmotion
from edge.vision.quality import Gate, quality_of

Pixels = npt.NDArray[np.uint8]
SIDE = 48
NOISE = 2.0
"""Standard deviation of a dark camera's noise, grey levels of 255."""


def shrunk(side: int) -> Callable[[Pixels], Pixels]:
    """Return what makes a face *side* pixels large and restores it."""
    return lambda face: _pixels(cv2.resize(cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA), (SIDE, SIDE)))


def blurred(sigma: float) -> Callable[[Pixels], Pixels]:
    """Return a Gaussian blur, pixels of 48."""
    return lambda face: _pixels(cv2.GaussianBlur(face, (0, 0), sigma))


def darkened(share: float) -> Callable[[Pixels], Pixels]:
    """Return what leaves *share* of the light and adds a camera's noise."""
    noise = np.random.default_rng(0).normal(0, NOISE, (SIDE, SIDE))
    return lambda face: _pixels(np.clip(np.rint(face * share + noise), 0, 255))


def coded(quality: int) -> Callable[[Pixels], Pixels]:
    """Return what a JPEG of that quality leaves."""
    return lambda face: _pixels(
        cv2.imdecode(cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_GRAYSCALE)
    )


def _pixels(face: npt.NDArray[np.generic] | None) -> Pixels:
    if face is None:
        raise ValueError("not a picture")
    return np.asarray(face, np.uint8)


CASES: dict[str, Callable[[Pixels], Pixels]] = {
    "as it is": lambda face: face,
    **{f"size {side} px": shrunk(side) for side in (32, 24, 16, 12, 8)},
    **{f"blur {sigma} px": blurred(sigma) for sigma in (1.0, 2.0, 3.0, 4.0)},
    **{f"light {share:.0%}": darkened(share) for share in (0.5, 0.25, 0.12, 0.06)},
    **{f"JPEG {quality}": coded(quality) for quality in (50, 20, 10, 5)},
}


def main() -> None:
    """Print a row a case, and all as JSON in the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fer", type=Path)
    parser.add_argument("--usage", default="PublicTest")
    options = parser.parse_args()
    faces, majority = read_fer2013(options.fer, options.usage)
    if majority is None:
        parser.error("needs fer2013new.csv beside fer2013.csv")
    judged = faces.only(majority >= 0)
    labels = majority[majority >= 0]
    reader, gate, rows = FaceEmotion(Model(models_folder() / "face_emotion.tflite")), Gate(), {}
    print(f"{'':<14} {'accuracy':>8} {'passed':>7} {'accuracy of those':>18}")
    for name, spoil in CASES.items():
        spoilt = [spoil(face) for face in judged.images]
        # Shrunk faces are restored, so the gate judges their looks and not their size.
        found = np.array([reader.classify(face).probabilities for face in spoilt])
        passed = np.array([gate.passes(quality_of(face, SIDE)) for face in spoilt])
        passed &= found.max(axis=1) >= LEAST_CONFIDENCE
        right = found.argmax(axis=1) == labels
        of_those = float(right[passed].mean()) if passed.any() else None
        rows[name] = {
            "accuracy": round(float(right.mean()), 4),
            "passed": round(float(passed.mean()), 4),
            "accuracy_passed": None if of_those is None else round(of_those, 4),
        }
        shown = "-" if of_those is None else f"{of_those:.1%}"
        print(f"{name:<14} {right.mean():>8.1%} {passed.mean():>7.1%} {shown:>18}")
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
