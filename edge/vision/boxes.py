"""Arithmetic of boxes, all as left, top, right, bottom."""

import numpy as np
import numpy.typing as npt

Boxes = npt.NDArray[np.float32]
"""Shape (boxes, 4)."""


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
    order = np.argsort(-scores, kind="stable")
    boxes, scores = boxes[order], scores[order]
    alive = np.ones(len(boxes), bool)
    kept_boxes, kept_scores = [], []
    for index in range(len(boxes)):
        if not alive[index]:
            continue
        near = iou(boxes[index : index + 1], boxes[index:])[0]
        group = (near >= overlap) & alive[index:]
        # The best box of a degenerate shape overlaps nothing, itself included.
        group[0] = True
        voters = group & (near >= max(overlap, 0.6))
        voters[0] = True
        weights = scores[index:][voters] ** 2
        kept_boxes.append(weights @ boxes[index:][voters] / weights.sum())
        kept_scores.append(scores[index])
        alive[index:] &= ~group
    if not kept_boxes:
        return np.zeros((0, 4), np.float32), np.zeros(0, np.float32)
    return np.stack(kept_boxes).astype(np.float32), np.array(kept_scores, np.float32)
