"""MediaPipe's Face Landmarker in place of the shipped landmark model, for those who bring its task file."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edge.errors import ModelError
from edge.vision.keypoints import MEDIAPIPE_INDEX, openings_of
from edge.vision.landmarks import SMALLEST_PX, FaceShape
from edge.vision.pose import pose_of

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

CROP_TO_BOX = 2.0
"""Crop side over the box's side: its own face detector wants a face with room around it, as in a selfie."""
_SIDE = 256


class MediaPipeLandmarks:
    """Reads the shape of faces in RGB frames, one crop a face: in whole classroom frames its detector finds none.

    Args:
        path: ``face_landmarker.task`` (Apache-2.0, from MediaPipe's model pages).
        smallest_px: Faces with a smaller side (root of the box's area) are not read.

    Raises:
        ModelError: The file or the package is missing, or the file is no such task.
    """

    def __init__(self, path: Path, *, smallest_px: float = SMALLEST_PX) -> None:
        if not path.is_file():
            raise ModelError(f"{path}: no such task file; set vision.landmarks_path to face_landmarker.task")
        try:
            # Imported here because it is an extra, and takes seconds.
            import mediapipe  # noqa: PLC0415
            from mediapipe.tasks.python import BaseOptions, vision  # noqa: PLC0415
        except ImportError as error:
            raise ModelError(
                f"landmarks 'mediapipe' needs the package mediapipe ({error}); pip install 'classroom-edge[mediapipe]'"
            ) from error
        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(path)),
            output_facial_transformation_matrixes=True,
            min_face_detection_confidence=0.3,
        )
        try:
            self._landmarker: Any = vision.FaceLandmarker.create_from_options(options)
        except (RuntimeError, ValueError) as error:
            reason = str(error).strip().splitlines()[0]
            raise ModelError(f"{path}: not a face landmarker task ({reason})") from error
        self._mediapipe: Any = mediapipe
        self._smallest = smallest_px

    def read(self, pixels: Pixels, box_xyxy: Floats) -> FaceShape | None:
        """Read one face of a frame; see :meth:`edge.vision.landmarks.FaceLandmarks.read`."""
        left, top, right, bottom = (float(v) for v in box_xyxy)
        side = float(np.sqrt(max(right - left, 0.0) * max(bottom - top, 0.0)))
        if side < self._smallest:
            return None
        middle = np.array([(left + right) / 2, (top + bottom) / 2])
        crop, low, high = _around(pixels, middle, CROP_TO_BOX * side / 2)
        image = self._mediapipe.Image(image_format=self._mediapipe.ImageFormat.SRGB, data=crop)
        found = self._landmarker.detect(image)
        if not found.face_landmarks:
            return None
        # (478, 3): x and y in fractions of the crop, z in the scale of x.
        fractions = np.array([(p.x, p.y, p.z) for p in found.face_landmarks[0]])
        whole = np.asarray(fractions * (high - low)[0] + [*low, 0.0], np.float32)
        # The matrix also scales; only the turn is wanted: the second and third columns are the head's top and front.
        matrix = np.asarray(found.facial_transformation_matrixes[0], np.float64)[:3, :3]
        pose = pose_of(np.stack([matrix[:, 2], matrix[:, 1]]))
        if pose is None:
            return None
        eyes, mouth = (float(v) for v in openings_of(whole[None])[0])
        return FaceShape(whole[list(MEDIAPIPE_INDEX), :2], pose, eyes, mouth, 1.0)


def _around(
    pixels: Pixels, middle: npt.NDArray[np.float64], reach: float
) -> tuple[Pixels, npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return a square of 256 pixels around a point, and the frame's coordinates of its two corners."""
    low, high = middle - reach, middle + reach
    scale = _SIDE / (2 * reach)
    matrix = np.array([[scale, 0, -scale * low[0]], [0, scale, -scale * low[1]]])
    # Pixel centres lie at half numbers, warpAffine's at whole ones.
    matrix[:, 2] += (scale - 1) / 2
    square = cv2.warpAffine(pixels, matrix, (_SIDE, _SIDE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(square, np.uint8), low, high
