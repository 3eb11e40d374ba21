#!/usr/bin/env python3
"""The face side against its peers on one core: milliseconds a frame, by number of faces and size of the frame.

vision.py YUNET.onnx FER.tflite [FACE_LANDMARKER.task]

Ours: detector, landmarks and pose, emotion, as the service runs them, every look scanned and read afresh. Peers: YuNet
(OpenCV), the quantised file that `fer` ships, run once a face, and MediaPipe's Face Landmarker, run on a crop a face,
where the package `mediapipe` is installed. The same frames in turn in one run; drawn faces on a grey wall.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from edge.capture.lesson import read_lesson
from edge.capture.simulated import SimulatedClassroom
from edge.media import Frame
from edge.role import Role
from edge.service import StageOptions, make_detector, make_vision
from edge.vision.stage import VisionStage

Pixels = npt.NDArray[np.uint8]
SIZES = ((1280, 720), (1920, 1080))
FACES = (1, 12, 30)
ROUNDS = 15
PATCH = 96


def patches() -> list[Pixels]:
    """Return square pictures of the drawn class's faces."""
    source = SimulatedClassroom(lesson=read_lesson("standard"), fps=5.0)
    frame = next(item for item in source.items() if isinstance(item, Frame))
    found = make_detector().detect(frame.pixels)
    cut = []
    for box in found.boxes_xyxy:
        x, y = (int(v) for v in (box[:2] + box[2:]) / 2)
        half = int(max(box[2] - box[0], box[3] - box[1]))
        part = frame.pixels[max(y - half, 0) : y + half, max(x - half, 0) : x + half]
        cut.append(np.asarray(cv2.resize(part, (PATCH, PATCH), interpolation=cv2.INTER_AREA), np.uint8))
    return cut


def crowd(faces: list[Pixels], count: int, width: int, height: int) -> Pixels:
    """Return a frame with *count* faces in rows on a grey wall."""
    frame = np.full((height, width, 3), 130, np.uint8)
    columns = max(1, int(np.ceil(np.sqrt(count * width / height))))
    rows = -(-count // columns)
    for k in range(count):
        x = int((k % columns + 0.5) * width / columns - PATCH / 2)
        y = int((k // columns + 0.5) * height / rows - PATCH / 2)
        frame[y : y + PATCH, x : x + PATCH] = faces[k % len(faces)]
    return frame


def landmarker(task: Path) -> Callable[[Pixels], None] | None:
    """Return MediaPipe's Face Landmarker for one crop, or nothing where it isn't installed."""
    try:
        import mediapipe  # noqa: PLC0415
        from mediapipe.tasks.python import BaseOptions, vision  # noqa: PLC0415
    except ImportError:
        return None
    options = vision.FaceLandmarkerOptions(base_options=BaseOptions(model_asset_path=str(task)), num_faces=1)
    net: Any = vision.FaceLandmarker.create_from_options(options)
    return lambda crop: net.detect(mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=crop)) and None


def main() -> None:
    """Time all in turn on each frame, and print a table."""
    if len(sys.argv) not in {3, 4}:
        sys.exit(__doc__)
    cv2.setNumThreads(1)
    yunet = cv2.FaceDetectorYN.create(sys.argv[1], "", (320, 320), 0.5, 0.45, 5000)
    fer = Interpreter(model_path=sys.argv[2], num_threads=1)
    fer.allocate_tensors()
    into = fer.get_input_details()[0]
    fer.set_tensor(into["index"], np.zeros(into["shape"], into["dtype"]))
    mesh = landmarker(Path(sys.argv[3])) if len(sys.argv) == 4 else None
    faces = patches()
    print(
        f"{'frame':>10} {'faces':>5} {'found':>5} {'ours ms':>8} {'fps':>5} {'YuNet+fer ms':>13} {'ratio':>6}", end=""
    )
    print(f" {'with MediaPipe ms':>18}" if mesh else "")
    for width, height in SIZES:
        # Without the usual shrinking, so that the growth with pixels shows.
        stage = make_vision(StageOptions(longest_px=1920, rate_hz=60, still_s=0.0))
        default = make_vision(StageOptions(rate_hz=60, scan_budget_ms=100.0))
        for turn, count in enumerate(FACES):
            pixels = crowd(faces, count, width, height)
            frames = [Frame(pixels, (turn * ROUNDS + k) * 10**9, k, "bench", Role.STUDENTS) for k in range(ROUNDS)]
            spent, found = time_all(frames, count, {"ours": stage, "default": default}, yunet, fer, mesh)
            ours, peer = median(spent["ours"]), median(spent["peer"])
            print(
                f"{width}x{height:>5} {count:>5} {found:>5} {ours:>8.1f} {1e3 / median(spent['default']):>5.1f}", end=""
            )
            print(f" {peer:>13.1f} {ours / peer:>6.2f}", end="")
            print(f" {median(spent['mesh']):>18.1f}" if mesh else "")
    print("fps: with the default budget and still faces, as the service looks at a live camera")


def time_all(
    frames: list[Frame],
    count: int,
    stages: dict[str, VisionStage],
    yunet: Any,  # noqa: ANN401 - OpenCV's object has no type
    fer: Any,  # noqa: ANN401
    mesh: Callable[[Pixels], None] | None,
) -> tuple[dict[str, list[float]], int]:
    """Return milliseconds of every round by what was timed, and the faces we found."""
    pixels = frames[0].pixels
    height, width = pixels.shape[:2]
    yunet.setInputSize((width, height))
    spent: dict[str, list[float]] = {"ours": [], "default": [], "peer": [], "mesh": []}
    crop, found = pixels[:PATCH, :PATCH].copy(), 0
    for frame in frames:
        for name, stage in stages.items():
            begun = time.perf_counter()
            found = len(stage.observe(frame) or ())
            spent[name].append((time.perf_counter() - begun) * 1e3)
        begun = time.perf_counter()
        yunet.detect(pixels)
        for _ in range(count):
            fer.invoke()
        spent["peer"].append((time.perf_counter() - begun) * 1e3)
        if mesh is not None:
            begun = time.perf_counter()
            yunet.detect(pixels)
            for _ in range(count):
                mesh(crop)
                fer.invoke()
            spent["mesh"].append((time.perf_counter() - begun) * 1e3)
    return spent, found


if __name__ == "__main__":
    main()
