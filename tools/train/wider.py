"""WIDER FACE in its public layout: images and face boxes, held in memory."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class LabelledImage:
    """One picture and every face in it."""

    name: str
    """`EVENT/NAME`, without ending."""

    pixels: npt.NDArray[np.uint8]
    """RGB, shape (height, width, 3)."""

    boxes_xyxy: npt.NDArray[np.float32]
    """Shape (faces, 4), pixels; left, top, right, bottom."""


def read_wider(root: Path, part: str) -> list[LabelledImage]:
    """Read one part (``train`` or ``dev``) of a WIDER FACE folder.

    Reads ``wider_face_split/wider_face_<part>_bbx_gt.txt`` (Yang et al., CVPR 2016: x y w h and six
    attributes a face) and the images under ``<part>/images``.
    """
    lines = (root / "wider_face_split" / f"wider_face_{part}_bbx_gt.txt").read_text().splitlines()
    images, at = [], 0
    while at < len(lines):
        name, count = lines[at], int(lines[at + 1])
        # The public file writes one row of zeros after a count of zero.
        rows = lines[at + 2 : at + 2 + max(count, 1)]
        at += 2 + max(count, 1)
        xywh = np.array([[float(v) for v in row.split()[:4]] for row in rows], np.float32)
        xywh = xywh[(xywh[:, 2] > 0) & (xywh[:, 3] > 0)]
        boxes = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)
        bgr = cv2.imread(str(root / part / "images" / name))
        if bgr is None:
            raise FileNotFoundError(root / part / "images" / name)
        pixels = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).astype(np.uint8)
        images.append(LabelledImage(str(Path(name).with_suffix("")), pixels, boxes))
    return images
