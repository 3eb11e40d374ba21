#!/usr/bin/env python3
"""The shipped face emotion file on FER2013 PublicTest: face_emotion_accuracy.py FER_DIR.

FER_DIR holds `fer2013.csv` and `fer2013new.csv` (FER+). Against the FER+ majority, only images count in which one of
our seven emotions wins alone.
"""

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "train"))
from fer import LABELS, read_fer

from edge.inference.model import Model
from edge.inference.sidecar import models_folder
from edge.vision.emotion import FaceEmotion


def main() -> None:
    """Print the figures as JSON."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    data = read_fer(Path(sys.argv[1]), "PublicTest")
    reader = FaceEmotion(Model(models_folder() / "face_emotion.tflite"))
    found = np.array([reader.classify(image).probabilities for image in data.images])
    best, majority = found.argmax(axis=1), data.majority
    judged = majority >= 0
    right = best[judged] == majority[judged]
    recalls = {name: float(right[majority[judged] == k].mean()) for k, name in enumerate(LABELS)}
    confidence = found[judged].max(axis=1)
    bins = np.minimum((confidence * 15).astype(int), 14)
    gaps = [abs(float((right[bins == b] - confidence[bins == b]).sum())) for b in range(15) if (bins == b).any()]
    figures = {
        "n": int(judged.sum()),
        "ferplus_majority_accuracy": round(float(right.mean()), 4),
        "ferplus_majority_mean_recall": round(float(np.mean(list(recalls.values()))), 4),
        "ferplus_majority_recall_by_class": {name: round(value, 4) for name, value in recalls.items()},
        "original_labels_accuracy": round(float((best == data.labels).mean()), 4),
        "expected_calibration_error": round(sum(gaps) / int(judged.sum()), 4),
    }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
