"""The 150 points of a face: which they are, and where MediaPipe's topology of 478 has them.

"Left" and "right" are the person's own; a face that looks into the camera has its right eye on the picture's left.
"""

from collections.abc import Mapping
from itertools import accumulate

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

GROUPS: Mapping[str, tuple[int, ...]] = {
    # From the top of the forehead along the person's left side to the chin and back.
    "contour": (
        *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
        *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
    ),
    # Lower edge, then upper edge, each from the outer end to the inner one.
    "right_brow": (46, 53, 52, 65, 55, 70, 63, 105, 66, 107),
    "left_brow": (276, 283, 282, 295, 285, 300, 293, 334, 296, 336),
    # Outer corner, lower lid, inner corner, upper lid back to the outer corner.
    "right_eye": (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    "left_eye": (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
    "right_iris": (468,),
    "left_iris": (473,),
    # Bridge to tip, base of the septum; then wing from the base up.
    "nose": (168, 6, 195, 4, 1, 2),
    "right_nostril": (98, 64, 48),
    "left_nostril": (327, 294, 278),
    "right_cheek": (117, 50, 205, 187),
    "left_cheek": (346, 280, 425, 411),
    # Right corner, lower edge, left corner, upper edge back.
    "outer_lip": (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185),
    "inner_lip": (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191),
}
"""Each group's indices into the 478 points, in the order in which the model gives them."""

MEDIAPIPE_INDEX: tuple[int, ...] = tuple(index for group in GROUPS.values() for index in group)
"""Index into the 478 points of each of ours, 150 of them."""

NAMES: tuple[str, ...] = tuple(f"{group}_{n}" for group, indices in GROUPS.items() for n in range(len(indices)))
"""Name of each point: its group and its place in it, from 0."""

_STARTS = dict(zip(GROUPS, accumulate((len(g) for g in GROUPS.values()), initial=0), strict=False))


def span_of(group: str) -> slice:
    """Return where a group's points are among the 150."""
    return slice(_STARTS[group], _STARTS[group] + len(GROUPS[group]))


def place_of(name: str) -> int:
    """Return where a named point is among the 150."""
    return NAMES.index(name)


def _mirrored() -> tuple[int, ...]:
    """Pair each point with the one that takes its place in a mirror."""
    # Closed lines that cross the middle of the face at these places run backwards.
    middles = {"contour": 0, "outer_lip": 10, "inner_lip": 10}
    pairs = []
    for group, indices in GROUPS.items():
        count = len(indices)
        if group in middles:
            pairs += [_STARTS[group] + (middles[group] - n) % count for n in range(count)]
            continue
        side, _, rest = group.partition("_")
        other = {"left": f"right_{rest}", "right": f"left_{rest}"}.get(side, group)
        pairs += [_STARTS[other] + n for n in range(count)]
    return tuple(pairs)


MIRROR: tuple[int, ...] = _mirrored()
"""Of each point, the place of its counterpart on the other side of the face; its own on the middle line."""


def openings_of(points: Floats) -> Floats:
    """Return how far eyes and mouth are open, shape (faces, 2), from MediaPipe's points, shape (faces, 478, 3).

    Eyes: lid distance over eye width, mean of two distances and both eyes (eye aspect ratio, Soukupova & Cech, 2016).
    Mouth: the same of the inner lips. Distances are taken in space, so that a turned head keeps its openings.
    """

    def apart(a: int, b: int) -> Floats:
        return np.asarray(np.linalg.norm(points[:, a] - points[:, b], axis=1), np.float32)

    right = (apart(160, 144) + apart(158, 153)) / (2 * apart(33, 133))
    left = (apart(385, 380) + apart(387, 373)) / (2 * apart(263, 362))
    return np.stack([(right + left) / 2, apart(13, 14) / apart(78, 308)], axis=1).astype(np.float32)
