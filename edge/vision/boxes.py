"""Arithmetic of boxes, all as left, top, right, bottom."""

import cv2
import numpy as np
import numpy.typing as npt

Boxes = npt.NDArray[np.float32]
"""Shape (boxes, 4)."""
VOTE_OVERLAP = 0.6
"""Boxes that overlap the best one this much have a say in where the face is."""


def iou(first: Boxes, second: Boxes) -> npt.NDArray[np.float32]:
    """Return intersection over union of every pair, shape (len(first), len(second))."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    both = np.prod(np.clip(high - low, 0, None), axis=2)
    total = area(first)[:, None] + area(second)[None] - both
    return np.asarray(both / np.maximum(total, 1e-9), np.float32)


def area(boxes: Boxes) -> npt.NDArray[np.float32]:
    """Return each box's area, shape (boxes,)."""
    return np.asarray(np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None), axis=1), np.float32)


def suppress(boxes: Boxes, scores: npt.NDArray[np.float32], overlap: float) -> tuple[Boxes, npt.NDArray[np.float32]]:
    """Keep the best box of each group that overlaps, moved to the group's score-weighted mean.

    Non-maximum suppression with box voting (Gidaris & Komodakis, 2015): neighbouring cells see the same face with
    independent rounding errors, so their mean is nearer than the best of them.

    Args:
        boxes: Shape (boxes, 4).
        scores: Shape (boxes,), in [0, 1].
        overlap: Intersection over union from which two boxes are the same face.

    Returns:
        Boxes and scores of what is kept, best first.
    """
    if not len(boxes):
        return np.zeros((0, 4), np.float32), np.zeros(0, np.float32)
    xywh = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    kept = np.asarray(cv2.dnn.NMSBoxes(xywh.tolist(), scores.tolist(), 0.0, overlap), np.intp).ravel()
    weights = scores**2 * (iou(boxes[kept], boxes) >= max(overlap, VOTE_OVERLAP))
    # A box of no area overlaps nothing, itself included.
    weights[np.arange(len(kept)), kept] = scores[kept] ** 2
    mean = weights @ boxes / weights.sum(axis=1, keepdims=True)
    return mean.astype(np.float32), scores[kept]
