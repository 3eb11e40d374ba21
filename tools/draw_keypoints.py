#!/usr/bin/env python3
"""Draw the 150 points on the mean of many faces: draw_keypoints.py LABELS.npz OUT.svg.

LABELS.npz is a file of `tools/train/label_landmarks.py`; only faces that look into the camera are averaged.
"""

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from edge.vision.keypoints import GROUPS, MEDIAPIPE_INDEX, NAMES, place_of, span_of
from edge.vision.pose import pose_of

WIDTH, MARGIN, FRONTAL_DEG = 900, 60, 10.0
COLOURS = ("#444444", "#8a5a00", "#0b63b5", "#c2185b", "#1b7f3b", "#7a3fb0", "#b3261e")
CLOSED = ("contour", "left_eye", "right_eye", "outer_lip", "inner_lip")
ENDS = ("contour_0", "contour_9", "contour_18", "contour_27", "outer_lip_0", "outer_lip_10", "nose_0", "nose_3")
PARTS = ("contour", "brow", "eye", "iris", "nos", "cheek", "lip")


def mean_face(labels: Path) -> npt.NDArray[np.float64]:
    """Return the points of the mean frontal face, eyes level and apart by 1, shape (150, 2)."""
    data = np.load(labels)
    shapes = []
    for points, rotation in zip(data["points"], data["rotation"], strict=True):
        pose = pose_of(np.stack([rotation[:, 2], rotation[:, 1]])) if np.isfinite(rotation).all() else None
        if pose is None or max(abs(pose.yaw_deg), abs(pose.pitch_deg)) > FRONTAL_DEG:
            continue
        ours = points[list(MEDIAPIPE_INDEX), :2]
        right, left = ours[place_of("right_eye_0")], ours[place_of("left_eye_0")]
        # Complex division turns, scales and shifts in one.
        shape = ((ours - (left + right) / 2) @ np.array([1, 1j])) / ((left - right) @ np.array([1, 1j]))
        shapes.append(np.stack([shape.real, shape.imag], axis=1))
    return np.asarray(np.mean(shapes, axis=0), np.float64)


def drawing(points: npt.NDArray[np.float64]) -> str:
    """Return the picture as SVG."""
    low, high = points.min(axis=0), points.max(axis=0)
    scale = (WIDTH - 2 * MARGIN) / (high[0] - low[0])
    at = (points - low) * scale + MARGIN
    height = round((high[1] - low[1]) * scale + 2 * MARGIN)
    size = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="9">']
    lines.append(f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>')
    for group in GROUPS:
        colour = COLOURS[next(k for k, part in enumerate(PARTS) if part in group)]
        where = at[span_of(group)]
        if group in CLOSED:
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in where)
            lines.append(f'<polygon points="{path}" fill="none" stroke="{colour}" stroke-opacity="0.3"/>')
        for number, (x, y) in enumerate(where):
            lines.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>')
            lines.append(f'<text x="{x + 3:.1f}" y="{y - 3:.1f}" fill="{colour}">{number}</text>')
    for name in ENDS:
        x, y = at[NAMES.index(name)]
        lines.append(f'<text x="{x - 20:.1f}" y="{y + 16:.1f}" font-size="12" fill="#000000">{name}</text>')
    return "\n".join([*lines, "</svg>"]) + "\n"


def main() -> None:
    """Read the command line and draw."""
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    Path(sys.argv[2]).write_text(drawing(mean_face(Path(sys.argv[1]))), "utf-8")


if __name__ == "__main__":
    main()
