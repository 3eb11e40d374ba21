"""Faces labelled by `label_landmarks.py` as training samples: crops with what the network shall say of them."""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from landmark_net import CROP_PX
from torch import Tensor
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from edge.vision.keypoints import MEDIAPIPE_INDEX, MIRROR, openings_of, place_of

Floats = npt.NDArray[np.float32]

PATCH_PX = 128
PATCH_TO_BOX = 2.2
CROP_TO_BOX = 1.5
"""As in `edge.vision.landmarks`."""
SAME_FACE = 0.5
"""Overlap with an annotated face from which a box is that face."""
MOST_DOUBT = 0.06
"""Distance between the teacher's two answers, over that of the eyes, up to which it is believed."""
# The teacher's points fill this much of the detector's box and lie this much lower (median over WIDER FACE).
HULL_TO_BOX, HULL_BELOW = 0.97, 0.05
FER_TO_PATCH = 1.18 / PATCH_TO_BOX


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """Labelled faces of one set."""

    patches: Tensor
    """Grey, uint8, shape (faces, 128, 128)."""

    points: Tensor
    """Shape (faces, 150, 2), patch pixels."""

    axes: Tensor
    """Shape (faces, 2, 3): front and top of the head, x right, y up, z towards the camera."""

    openings: Tensor
    """Shape (faces, 2): eyes and mouth."""

    readable: Tensor
    """Whether the teacher finds the face; where it doesn't, the other labels mean nothing. Shape (faces,)."""

    centre: Tensor
    """Middle of the detector's box, patch pixels, shape (faces, 2)."""

    side: Tensor
    """Side of that box, patch pixels, shape (faces,)."""

    box_px: Tensor
    """The same in pixels of the image, shape (faces,)."""

    image: Tensor
    """Number of the image, shape (faces,)."""

    bounded: bool
    """Whether the patches show nothing but grey beyond FER2013's small pictures."""

    def __len__(self) -> int:
        return len(self.side)

    def take(self, chosen: Tensor) -> "Faces":
        """Return the faces at these places, or where the mask holds."""
        names = ("patches", "points", "axes", "openings", "readable", "centre", "side", "box_px", "image")
        return Faces(**{name: getattr(self, name)[chosen] for name in names}, bounded=self.bounded)


def read_faces(path: Path, *, fer: bool = False) -> Faces:
    """Read one file of `label_landmarks.py`; boxes that may or may not be a face are left out."""
    data = np.load(path)
    found = np.isfinite(data["points"]).all(axis=(1, 2))
    annotated = data["overlap"] >= SAME_FACE
    annotated &= data["doubt"] <= MOST_DOUBT
    # On hands and posters the teacher sees faces as well; off the annotated faces its word counts for nothing.
    sure = np.where(found, annotated, (data["overlap"] < 0.2) | annotated)
    points, rotation = (np.nan_to_num(data[name][sure]) for name in ("points", "rotation"))
    found = found[sure]
    ours = points[:, MEDIAPIPE_INDEX, :2].astype(np.float32)
    with np.errstate(invalid="ignore"):
        openings = np.nan_to_num(openings_of(points)).clip(0, (0.8, 1.2)).astype(np.float32)
    count = len(ours)
    boxes = data["box_xyxy"][sure]
    centre = np.full((count, 2), PATCH_PX / 2, np.float32)
    side = np.full(count, PATCH_PX / PATCH_TO_BOX, np.float32)
    if fer:
        # These have no detector's box; it is where the detector would put it.
        low, high = ours.min(axis=1), ours.max(axis=1)
        side[found] = (np.sqrt(np.prod(high - low, axis=1)) / HULL_TO_BOX)[found]
        centre[found] = ((low + high) / 2 - np.array([0, HULL_BELOW]) * side[:, None])[found]
    return Faces(
        patches=torch.from_numpy(data["patch"][sure]),
        points=torch.from_numpy(ours),
        axes=torch.from_numpy(np.stack([rotation[:, :, 2], rotation[:, :, 1]], axis=1)),
        openings=torch.from_numpy(openings),
        readable=torch.from_numpy(found),
        centre=torch.from_numpy(centre),
        side=torch.from_numpy(side),
        box_px=torch.from_numpy(np.sqrt(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1))),
        image=torch.from_numpy(data["image"][sure]),
        bounded=fer,
    )


def crops_of(
    faces: Faces, centre: Tensor, side: Tensor, roll: Tensor, mirror: Tensor, *, clamp: bool = False
) -> tuple[Tensor, Tensor, Tensor]:
    """Cut crops, and move the labels with them.

    Args:
        faces: Each gives one crop.
        centre: Patch pixels, shape (faces, 2).
        side: Of the box, patch pixels, shape (faces,); the crop is 1.5 times as wide.
        roll: Radians by which the picture is turned clockwise, shape (faces,).
        mirror: Whether it is flipped first, shape (faces,).
        clamp: Repeat the border of FER2013's pictures instead of showing the grey beyond.

    Returns:
        Crops in [-1, 1], shape (faces, 1, 80, 80); points, -1 and 1 at the crop's borders, shape (faces, 150, 2);
        axes, shape (faces, 2, 3).
    """
    cos, sin, flip = roll.cos(), roll.sin(), 1 - 2 * mirror.float()
    turn = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
    turn = turn * torch.stack([flip, torch.ones_like(flip)], 1)[:, None]
    half = side * CROP_TO_BOX / 2
    back = turn.transpose(1, 2) * (half / (PATCH_PX / 2))[:, None, None]
    theta = torch.cat([back, (centre / (PATCH_PX / 2) - 1)[:, :, None]], dim=2)
    grid = functional.affine_grid(theta, [len(faces), 1, CROP_PX, CROP_PX], align_corners=False)
    if clamp:
        grid = grid.clamp(-FER_TO_PATCH + 0.015, FER_TO_PATCH - 0.015)
    pixels = faces.patches[:, None].float() / 127.5 - 1
    crops = functional.grid_sample(pixels, grid, padding_mode="border", align_corners=False)
    points = torch.einsum("nij,nkj->nki", turn, faces.points - centre[:, None]) / half[:, None, None]
    points = torch.where(mirror[:, None, None], points[:, list(MIRROR)], points)
    # The picture's y points down, the axes' up.
    upward = turn * torch.tensor([[1.0, -1.0], [-1.0, 1.0]])
    axes = torch.cat([torch.einsum("nij,nkj->nki", upward, faces.axes[:, :, :2]), faces.axes[:, :, 2:]], dim=2)
    return crops, points, axes


def as_detected(faces: Faces) -> tuple[Tensor, Tensor, Tensor]:
    """Return what the network sees of each face at run time, as :func:`crops_of`."""
    nothing = torch.zeros(len(faces))
    return crops_of(faces, faces.centre, faces.side, nothing, nothing.bool())


def eye_distance(points: Tensor) -> Tensor:
    """Return the distance of the outer eye corners, shape (faces,), of points, shape (faces, 150, 2)."""
    return (points[:, place_of("left_eye_0")] - points[:, place_of("right_eye_0")]).norm(dim=1)
