#!/usr/bin/env python3
"""The shipped landmark file against its teacher.

face_landmarks.py wider LABELS.npz WIDER_DIR PART [--json]
face_landmarks.py fer LABELS.npz [--json]

LABELS.npz is what `tools/train/label_landmarks.py` wrote of the same part, with the shipped detector's boxes, or of
FER2013's PublicTest.
Errors are distances in the picture, mean over the 150 points, over the distance of the outer eye corners as the teacher
has it. Only boxes that are annotated faces count. Where two looks of the teacher differ by more than 6 % it can't be
measured against; these faces are told apart and are in no group but `all`.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "train"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from wider import LabelledImage, read_wider

from edge.inference.model import Model
from edge.inference.sidecar import models_folder
from edge.vision.boxes import Boxes
from edge.vision.keypoints import MEDIAPIPE_INDEX, openings_of
from edge.vision.landmarks import FaceLandmarks
from edge.vision.pose import pose_of

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

PATCH_PX, PATCH_TO_BOX = 128, 2.2
MOST_DOUBT, LARGE_PX = 0.06, 48
COLUMNS = (
    "box_px",
    "doubt",
    "read",
    "points",
    "points_pupils",
    "yaw",
    "pitch",
    "roll",
    "teacher_yaw",
    "eyes",
    "mouth",
    "ms",
)


def faces_in(images: list[LabelledImage] | None, data: dict[str, Any]) -> Iterator[tuple[Pixels, Boxes, Boxes]]:
    """Yield of each labelled box the picture, the box, and the teacher's points, shape (478, 2), in its pixels.

    Without *images*, the stored patches are the pictures.
    """
    middle = PATCH_PX / 2
    for k, box in enumerate(data["box_xyxy"]):
        named = data["points"][k][:, :2]
        if images is None:
            half = middle / PATCH_TO_BOX
            patch = np.repeat(data["patch"][k][:, :, None], 3, axis=2)
            yield patch, np.array([middle - half] * 2 + [middle + half] * 2, np.float32), named
            continue
        scale = float(np.sqrt(np.prod(box[2:] - box[:2]))) * PATCH_TO_BOX / PATCH_PX
        yield images[data["image"][k]].pixels, box, (named - middle) * scale + (box[:2] + box[2:]) / 2


def measure(labels: Path, images: list[LabelledImage] | None) -> tuple[dict[str, Floats], Floats]:
    """Read every annotated face; return a column a figure (NaN where not read), and the passing of all other boxes."""
    reader = FaceLandmarks(Model(models_folder() / "face_landmarks.tflite"), smallest_px=1)
    stored = np.load(labels)
    data = {name: stored[name] for name in stored.files}
    rows, others = [], []
    for k, (pixels, box, teacher) in enumerate(faces_in(images, data)):
        begun = time.perf_counter()
        shape = reader.read(pixels, box)
        spent = (time.perf_counter() - begun) * 1e3
        named = data["points"][k]
        if not np.isfinite(named).all() or data["overlap"][k] < 0.5:
            if data["overlap"][k] < 0.2:
                others.append(float(shape is not None))
            continue
        side, doubt = float(np.sqrt(np.prod(box[2:] - box[:2]))), float(data["doubt"][k])
        if shape is None:
            rows.append([side, doubt, 0.0, *[np.nan] * 8, spent])
            continue
        off = float(np.linalg.norm(shape.points - teacher[list(MEDIAPIPE_INDEX)], axis=1).mean())
        corners, pupils = (float(np.linalg.norm(teacher[a] - teacher[b])) for a, b in ((33, 263), (468, 473)))
        turn = pose_of(np.stack([data["rotation"][k][:, 2], data["rotation"][k][:, 1]]))
        if turn is None:
            raise SystemExit(f"{labels}: face {k} has no rotation")
        eyes, mouth = openings_of(named[None])[0]
        row = [side, doubt, 1.0, off / corners, off / pupils]
        row += [abs(shape.pose.yaw_deg - turn.yaw_deg), abs(shape.pose.pitch_deg - turn.pitch_deg)]
        row += [abs((shape.pose.roll_deg - turn.roll_deg + 180) % 360 - 180), turn.yaw_deg]
        rows.append([*row, abs(shape.eye_opening - eyes), abs(shape.mouth_opening - mouth), spent])
    return dict(zip(COLUMNS, np.array(rows).T, strict=True)), np.array(others)


def summary(columns: dict[str, Floats], chosen: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """Return the figures of some of the faces."""
    read = chosen & (columns["read"] > 0)
    figures: dict[str, Any] = {"n": int(chosen.sum()), "read": round(float(columns["read"][chosen].mean()), 3)}
    figures["points_mean"] = round(float(columns["points"][read].mean()), 4)
    figures["points_median"] = round(float(np.median(columns["points"][read])), 4)
    figures["points_mean_over_pupils"] = round(float(columns["points_pupils"][read].mean()), 4)
    for angle in ("yaw", "pitch", "roll"):
        figures[f"{angle}_median_deg"] = round(float(np.median(columns[angle][read])), 2)
    for opening in ("eyes", "mouth"):
        figures[f"{opening}_mean"] = round(float(columns[opening][read].mean()), 3)
    return figures


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["wider", "fer"])
    parser.add_argument("labels", type=Path)
    parser.add_argument("wider", type=Path, nargs="?")
    parser.add_argument("part", nargs="?", default="dev")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if (options.kind == "wider") != (options.wider is not None):
        parser.error("wider takes a folder, fer takes none")
    columns, others = measure(options.labels, read_wider(options.wider, options.part) if options.wider else None)
    size, turned = columns["box_px"], np.abs(np.nan_to_num(columns["teacher_yaw"], nan=0.0))
    sure = columns["doubt"] <= MOST_DOUBT
    large = size >= LARGE_PX
    groups = {"48 px and more": large & sure, "48 px and more, all": large, "48 px and more, doubtful": large & ~sure}
    for low, high in ((26, 32), (32, 40), (40, 48), (48, 64), (64, 100), (100, 10**6)):
        groups[f"{low} to {high} px" if high < 10**6 else f"{low} px and more"] = (size >= low) & (size < high) & sure
    for low, high in ((0, 15), (15, 30), (30, 90)):
        groups[f"48 px and more, yaw {low} to {high}"] = large & (turned >= low) & (turned < high) & sure
    if options.kind == "fer":
        groups = {"all": np.ones(len(size), bool)}
    result: dict[str, Any] = {name: summary(columns, chosen) for name, chosen in groups.items() if chosen.any()}
    if len(others):
        result["other_boxes_read"] = round(float(others.mean()), 3)
    result["ms_a_face_median"] = round(float(np.median(columns["ms"])), 3)
    if options.json:
        print(json.dumps(result, indent=2))
        return
    for name, figures in result.items():
        print(
            f"{name:32}", figures if not isinstance(figures, dict) else " ".join(f"{k} {v}" for k, v in figures.items())
        )


if __name__ == "__main__":
    main()
