#!/usr/bin/env python3
"""Label faces with MediaPipe's Face Landmarker, the teacher of the landmark model.

label_landmarks.py wider WIDER_DIR PART TASK OUT.npz
label_landmarks.py fer FER_DIR USAGE TASK OUT.npz

PART is ``train`` or ``dev``; USAGE is ``Training`` or ``PublicTest``; TASK is ``face_landmarker.task``. Needs the
package `mediapipe`. Each face is shown to the teacher alone, in a square crop: in whole frames its own detector, made
for selfies, finds next to nothing.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import mediapipe
import numpy as np
import numpy.typing as npt
from fer import read_fer
from mediapipe.tasks.python import BaseOptions, vision
from wider import read_wider

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from edge.inference.model import Model
from edge.inference.sidecar import models_folder
from edge.vision.boxes import Boxes, iou
from edge.vision.detector import FaceDetector

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

PATCH_PX = 128
PATCH_TO_BOX = 2.2
"""Side of the stored grey patch over the box's side (root of its area): room to shift, zoom and turn in training."""
TEACHER_PX = 256
TEACHER_TO_BOX = (2.0, 1.5, 2.6)
"""Side of the crop shown to the teacher; the next one when it finds nothing."""
FARTHEST, SIZES = 0.25, (0.65, 1.5)
"""Farthest middle of the points from the box's, and least and greatest size, in sides of the box: else a neighbour."""
SHIFT = 0.05
"""How far the crop of the second look lies to the right and down, in sides of the box."""
SMALLEST_PX = 26
POINTS = 478


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """One face and what the teacher says of it."""

    image: int
    """Counts the images of the set; what is held out is held out by image."""

    box_xyxy: Floats
    """Shape (4,), pixels of the image."""

    overlap: float
    """Intersection over union with the nearest annotated face; 1 where the faces themselves are the pictures."""

    doubt: float
    """How far the points move when the teacher looks again at a smaller and shifted crop, mean over all points,
    in distances of the outer eye corners; infinite where it then finds nothing, 0 where it was not asked twice."""

    patch: Pixels
    """Grey, shape (128, 128), centred on the box, 2.2 times its side."""

    points: Floats
    """Shape (478, 3), in patch pixels, z in the same scale; NaN where the teacher finds no face."""

    rotation: Floats
    """Shape (3, 3): head to camera, x right, y up, z towards the camera; NaN as above."""


class Teacher:
    """The Face Landmarker over one crop at a time."""

    def __init__(self, task: Path) -> None:
        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(task)),
            running_mode=vision.RunningMode.IMAGE,
            num_faces=4,
            output_facial_transformation_matrixes=True,
            min_face_detection_confidence=0.3,
            min_face_presence_confidence=0.5,
        )
        self._landmarker = vision.FaceLandmarker.create_from_options(options)

    def look(self, crop: Pixels, side: float) -> tuple[Floats, Floats] | None:
        """Return points, shape (478, 3), in fractions of the square crop, and the rotation, shape (3, 3).

        Args:
            crop: RGB, shape (256, 256, 3).
            side: The side of the face's box in fractions of the crop; neighbours that don't fit it are left out.
        """
        picture = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(crop))
        found = self._landmarker.detect(picture)
        for face, transformation in zip(found.face_landmarks, found.facial_transformation_matrixes, strict=True):
            points = np.array([(p.x, p.y, p.z) for p in face], np.float32)
            low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
            off = float(np.abs((low + high) / 2 - 0.5).max()) / side
            size = float(np.sqrt(np.prod(high - low))) / side
            if off <= FARTHEST and SIZES[0] <= size <= SIZES[1]:
                # The matrix also scales; only the turn is wanted.
                left, _, right = np.linalg.svd(np.asarray(transformation, np.float32)[:3, :3])
                return points, np.asarray(left @ right, np.float32)
        return None


def square(pixels: Pixels, centre: tuple[float, float], side: float, size: int) -> Pixels:
    """Cut a square out of an image and scale it to *size* pixels, averaging where it shrinks."""
    scale = size / side
    shrink = 1.0
    if scale < 0.7:
        shrink = scale * 1.2
        pixels = np.asarray(cv2.resize(pixels, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8)
    zoom = scale / shrink
    matrix = np.array(
        [[zoom, 0, size / 2 - zoom * shrink * centre[0]], [0, zoom, size / 2 - zoom * shrink * centre[1]]]
    )
    # Pixel centres lie at half numbers, warpAffine's at whole ones.
    matrix[:, 2] += (zoom - 1) / 2
    return np.asarray(
        cv2.warpAffine(pixels, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def label(teacher: Teacher, pixels: Pixels, box: Floats, image: int, overlap: float | None = None) -> Labelled:
    """Ask the teacher about one face of an RGB image; twice where the box may be wrong and so has an overlap."""
    side = float(np.sqrt(np.prod(box[2:] - box[:2])))
    centre = (float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2)
    # Only the surroundings are filtered, not the image.
    reach = side * 1.6 + 4
    left, top = max(int(centre[0] - reach), 0), max(int(centre[1] - reach), 0)
    part = pixels[top : int(centre[1] + reach) + 1, left : int(centre[0] + reach) + 1]
    centre = (centre[0] - left, centre[1] - top)
    patch = cv2.cvtColor(square(part, centre, PATCH_TO_BOX * side, PATCH_PX), cv2.COLOR_RGB2GRAY).astype(np.uint8)
    points, rotation = np.full((POINTS, 3), np.nan, np.float32), np.full((3, 3), np.nan, np.float32)
    doubt = 0.0
    for margin in TEACHER_TO_BOX:
        answer = teacher.look(square(part, centre, margin * side, TEACHER_PX), 1 / margin)
        if answer is not None:
            rotation = answer[1]
            points = _in_patch(answer[0], margin, (0.0, 0.0))
            if overlap is not None:
                doubt = _doubt(teacher, part, centre, side, margin * 0.85, points)
            break
    return Labelled(image, box, 1.0 if overlap is None else overlap, doubt, patch, points, rotation)


def _in_patch(points: Floats, margin: float, shift: tuple[float, float]) -> Floats:
    """Move points from fractions of the teacher's crop, shifted by parts of the box's side, to patch pixels."""
    zoom = margin / PATCH_TO_BOX * PATCH_PX
    moved = points * np.float32(zoom)
    moved[:, :2] += PATCH_PX / 2 - zoom / 2 + np.array(shift, np.float32) * PATCH_PX / PATCH_TO_BOX
    return moved


def _doubt(
    teacher: Teacher, part: Pixels, centre: tuple[float, float], side: float, margin: float, points: Floats
) -> float:
    """Return how far the points are from those of another look."""
    middle = (centre[0] + SHIFT * side, centre[1] + SHIFT * side)
    again = teacher.look(square(part, middle, margin * side, TEACHER_PX), 1 / margin)
    if again is None:
        return float("inf")
    off = np.linalg.norm(_in_patch(again[0], margin, (SHIFT, SHIFT))[:, :2] - points[:, :2], axis=1).mean()
    eyes = np.linalg.norm(points[33, :2] - points[263, :2])
    return float(off / max(float(eyes), 1e-6))


def wider_faces(teacher: Teacher, folder: Path, part: str) -> Iterator[Labelled]:
    """Label what the shipped detector finds, false finds included, and the annotated faces that it misses."""
    detector = FaceDetector(Model(models_folder() / "face_detector.tflite"), confidence=0.2)
    for number, image in enumerate(read_wider(folder, part)):
        found: Boxes = detector.detect(image.pixels).boxes_xyxy
        missed = image.boxes_xyxy
        if len(found) and len(missed):
            missed = missed[iou(missed, found).max(axis=1) < 0.4]
        for box in (*found, *missed):
            if np.sqrt(np.prod(box[2:] - box[:2])) >= SMALLEST_PX:
                overlap = float(iou(box[None], image.boxes_xyxy).max(initial=0))
                yield label(teacher, image.pixels, box, number, overlap)


def fer_faces(teacher: Teacher, folder: Path, usage: str) -> Iterator[Labelled]:
    """Label FER2013's faces, enlarged and set in grey; a detector's box is 1/1.18 of the picture's side."""
    canvas = np.full((TEACHER_PX, TEACHER_PX), 114, np.uint8)
    half = 160 / 1.18 / 2
    middle = TEACHER_PX / 2
    box = np.array([middle - half, middle - half, middle + half, middle + half], np.float32)
    for number, face in enumerate(read_fer(folder, usage).images):
        canvas[48:208, 48:208] = cv2.resize(face, (160, 160), interpolation=cv2.INTER_CUBIC)
        yield label(teacher, np.repeat(canvas[:, :, None], 3, axis=2), box, number)


def main() -> None:
    """Read the command line, label one set and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["wider", "fer"])
    parser.add_argument("data", type=Path)
    parser.add_argument("part")
    parser.add_argument("task", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    faces = {"wider": wider_faces, "fer": fer_faces}[options.kind]
    done = []
    for face in faces(Teacher(options.task), options.data, options.part):
        done.append(face)
        if len(done) % 1000 == 0:
            print(f"{len(done)} faces", flush=True)
    np.savez(
        options.out,
        image=np.array([face.image for face in done]),
        overlap=np.array([face.overlap for face in done], np.float32),
        doubt=np.array([face.doubt for face in done], np.float32),
        box_xyxy=np.stack([face.box_xyxy for face in done]),
        patch=np.stack([face.patch for face in done]),
        points=np.stack([face.points for face in done]),
        rotation=np.stack([face.rotation for face in done]),
    )
    named = sum(bool(np.isfinite(face.points).all()) for face in done)
    print(f"{options.out}: {len(done)} faces, {named} with points")


if __name__ == "__main__":
    main()
