"""The shape of a face: 150 points, where the head points, and how far eyes and mouth are open."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.errors import ModelError
from edge.inference.model import Model
from edge.observation import HeadPose
from edge.vision.keypoints import NAMES
from edge.vision.pose import pose_of

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

CROP_TO_BOX = 1.5
"""Crop side over the box's side (root of its area): the whole face, however the detector's box lies on it."""
SMALLEST_PX = 24.0
"""Faces with a smaller side are not read; the model card has the error by size."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceShape:
    """What the landmark model tells of one face."""

    points: Floats
    """Shape (150, 2), x and y in pixels of the frame, in the order of :data:`edge.vision.keypoints.NAMES`."""

    pose: HeadPose
    """Where the head points."""

    eye_opening: float
    """Distance of the lids over the width of the eye, mean of both eyes; about 0.3 open, under 0.15 closed."""

    mouth_opening: float
    """Distance of the inner lips over the width between the inner corners; 0 closed."""

    readable: float
    """Probability that this is a face whose points can be told, in [0, 1]."""


class FaceLandmarks:
    """Reads the shape of faces in RGB frames.

    Args:
        model: ``face_landmarks.tflite``.
        smallest_px: Faces with a smaller side (root of the box's area) are not read.

    Raises:
        ModelError: The model is not this network.
    """

    def __init__(self, model: Model, *, smallest_px: float = SMALLEST_PX) -> None:
        sidecar = model.sidecar
        if sidecar.name != "face_landmarks" or sidecar.labels != NAMES or "readable" not in sidecar.thresholds:
            raise ModelError(f"{model.path}: need the face_landmarks model, got {sidecar.name!r}")
        self._model = model
        self._table = model.pixel_table()
        self._least_readable = sidecar.thresholds["readable"]
        self._smallest = smallest_px

    def read(self, pixels: Pixels, box_xyxy: Floats) -> FaceShape | None:
        """Read one face of a frame.

        Args:
            pixels: RGB, shape (height, width, 3).
            box_xyxy: Shape (4,), pixels; the detector's.

        Returns:
            ``None`` when the face is too small, or hidden, blurred or turned away so that its points can't be told.
        """
        left, top, right, bottom = (float(v) for v in box_xyxy)
        side = float(np.sqrt(max(right - left, 0.0) * max(bottom - top, 0.0)))
        x, y = (left + right) / 2, (top + bottom) / 2
        # A face that is followed may leave the frame.
        if side < self._smallest or not (0 <= x < pixels.shape[1] and 0 <= y < pixels.shape[0]):
            return None
        shape = self.shape_of(self.crop(pixels, box_xyxy))
        if shape is None or shape.readable < self._least_readable:
            return None
        half = side * CROP_TO_BOX / 2
        points = shape.points * np.float32(half) + np.array([x, y], np.float32)
        return FaceShape(points, shape.pose, shape.eye_opening, shape.mouth_opening, shape.readable)

    def shape_of(self, crop: Pixels) -> FaceShape | None:
        """Read one grey crop, shape (80, 80), however doubtful; the points are -1 and 1 at its borders."""
        # (1, 80, 80, 1) in; (1, 300), (1, 6), (1, 2) and (1, 1) out.
        outputs = {int(o.shape[1]): o[0] for o in self._model.run_quantised(self._table[crop][None, :, :, None])}
        pose = pose_of(outputs[6].reshape(2, 3))
        if pose is None:
            return None
        eyes, mouth = (max(float(v), 0.0) for v in outputs[2])
        readable = float(1 / (1 + np.exp(-outputs[1][0])))
        return FaceShape(outputs[300].reshape(len(NAMES), 2), pose, eyes, mouth, readable)

    def crop(self, pixels: Pixels, box_xyxy: Floats) -> Pixels:
        """Cut a square around a box and scale it to the network's size, shape (80, 80), grey."""
        size = self._model.shape[1]
        left, top, right, bottom = (float(v) for v in box_xyxy)
        side = CROP_TO_BOX * float(np.sqrt((right - left) * (bottom - top)))
        x, y = (left + right) / 2, (top + bottom) / 2
        # Only the square's surroundings are turned grey and filtered, not the frame.
        reach = side / 2 + 2
        x0, y0 = max(int(x - reach), 0), max(int(y - reach), 0)
        part = pixels[y0 : int(y + reach) + 2, x0 : int(x + reach) + 2]
        grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY)
        zoom_x = zoom_y = size / side
        if zoom_x < 0.7:  # noqa: PLR2004 - below this, linear sampling alone skips pixels
            rows, columns = grey.shape
            # Rounded to whole pixels, so each side has a scale of its own.
            grey = cv2.resize(grey, None, fx=zoom_x * 1.2, fy=zoom_y * 1.2, interpolation=cv2.INTER_AREA)
            zoom_x, zoom_y = zoom_x * columns / grey.shape[1], zoom_y * rows / grey.shape[0]
        # Pixel centres lie at half numbers, warpAffine's at whole ones.
        scale = size / side
        shift_x = size / 2 - scale * (x - x0) + (zoom_x - 1) / 2
        shift_y = size / 2 - scale * (y - y0) + (zoom_y - 1) / 2
        matrix = np.array([[zoom_x, 0, shift_x], [0, zoom_y, shift_y]])
        square = cv2.warpAffine(grey, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(square, np.uint8)
