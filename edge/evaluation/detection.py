"""A face detector against annotated pictures: average precision over the WIDER FACE layout."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.capture.image import read_image
from edge.errors import MediaError, SourceMissingError
from edge.vision.boxes import Boxes, iou
from edge.vision.detector import Detections

SIZES_PX = (10, 16, 24, 40)
"""Faces whose shorter side is smaller are neither wanted nor punished, one table row each."""

OVERLAP = 0.5
"""Intersection over union from which a detection is that face."""

_SMALLEST_FALSE = 0.8
"""A detection that is no face counts as false from this share of the row's size on."""


@dataclass(frozen=True, slots=True)
class Precision:
    """One row of the table."""

    smallest_px: int
    faces: int
    """Annotated faces of at least that size."""
    average_precision: float
    """Area under the interpolated precision-recall curve, in [0, 1]."""
    recall: float
    """Share of the faces found at the lowest confidence, in [0, 1]."""


def read_boxes(folder: Path) -> dict[Path, Boxes]:
    """Read WIDER FACE's ``wider_face_split/wider_face_*_bbx_gt.txt``; pictures lie in ``<part>/images``.

    Args:
        folder: Holds ``wider_face_split`` and one folder a part; every part but ``train`` is read.

    Raises:
        SourceMissingError: There is no such table.
        MediaError: A table is not in that layout.
    """
    tables = sorted(folder.glob("wider_face_split/wider_face_*_bbx_gt.txt"))
    tables = [table for table in tables if "_train_" not in table.name]
    if not tables:
        raise SourceMissingError(f"{folder}: no wider_face_split/wider_face_*_bbx_gt.txt but the training part's")
    truth: dict[Path, Boxes] = {}
    for table in tables:
        part = table.name.removeprefix("wider_face_").removesuffix("_bbx_gt.txt")
        lines = table.read_text("utf-8").splitlines()
        at = 0
        try:
            while at < len(lines):
                name, count = lines[at], int(lines[at + 1])
                # The public file writes one row of zeros after a count of zero.
                rows = lines[at + 2 : at + 2 + max(count, 1)]
                at += 2 + max(count, 1)
                xywh = np.array([[float(v) for v in row.split()[:4]] for row in rows[:count]], np.float32)
                xywh = xywh.reshape(-1, 4)
                truth[folder / part / "images" / name] = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], 1)
        except (ValueError, IndexError) as error:
            raise MediaError(f"{table}: line {at + 1} is not in WIDER FACE's layout ({error})") from error
    return truth


def evaluate_detector(
    truth: Mapping[Path, Boxes],
    detect: Callable[[npt.NDArray[np.uint8]], Detections],
    progress: Callable[[float], None] = lambda _: None,
) -> list[Precision]:
    """Run a detector over all pictures; one row for each of :data:`SIZES_PX`.

    Args:
        truth: A picture's annotated boxes, shape (faces, 4), pixels.
        detect: From RGB (height, width, 3) to detections; with a low threshold, or the curve ends early.
        progress: Told the number of pictures done.
    """
    found = []
    for number, path in enumerate(truth, start=1):
        found.append(detect(read_image(path)))
        progress(float(number))
    return [average_precision(list(truth.values()), found, smallest) for smallest in SIZES_PX]


def average_precision(truth: Sequence[Boxes], found: Sequence[Detections], smallest_px: int) -> Precision:
    """Return one row of the table; pictures of both arguments are in the same order."""
    scores: list[float] = []
    hits: list[bool] = []
    faces = 0
    for boxes, detections in zip(truth, found, strict=True):
        small = (boxes[:, 2:] - boxes[:, :2]).min(axis=1, initial=np.inf) < smallest_px
        faces += int((~small).sum())
        for k, hit in enumerate(_matches(boxes, detections.boxes_xyxy)):
            box = detections.boxes_xyxy[k]
            if hit is None:
                if (box[2:] - box[:2]).min() < _SMALLEST_FALSE * smallest_px:
                    continue
            elif small[hit]:
                continue
            scores.append(float(detections.confidence[k]))
            hits.append(hit is not None)
    if not scores:
        return Precision(smallest_px, faces, 0.0, 0.0)
    right = np.array(hits)[np.argsort(-np.array(scores), kind="stable")]
    recall = np.cumsum(right) / max(faces, 1)
    precision = np.maximum.accumulate((np.cumsum(right) / np.arange(1, len(right) + 1))[::-1])[::-1]
    area = float(np.sum(np.diff(np.concatenate([[0.0], recall])) * precision))
    return Precision(smallest_px, faces, area, float(recall[-1]))


def _matches(boxes: Boxes, detections: Boxes) -> list[int | None]:
    """Give each detection, best first, the free annotated face that it overlaps most, or none."""
    overlap, free = iou(detections, boxes), np.ones(len(boxes), bool)
    matches: list[int | None] = []
    for row in overlap:
        best = int(np.where(free, row, -1.0).argmax()) if len(row) else -1
        if best >= 0 and free[best] and row[best] >= OVERLAP:
            free[best] = False
            matches.append(best)
        else:
            matches.append(None)
    return matches
