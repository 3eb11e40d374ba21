"""What a face shows: a square grey crop, seven calibrated probabilities."""

import cv2
import numpy as np
import numpy.typing as npt

from edge.errors import ModelError
from edge.inference.model import Model
from edge.observation import Emotion, EmotionDistribution
from edge.vision.quality import Gate, quality_of

Pixels = npt.NDArray[np.uint8]

FACE_TO_CROP = 1.18
"""Crop side over the box's side (root of its area).

FER2013's 48 pixel crops hold faces whose detector box measures 40.6 pixels (median of 1,407 training images).
"""

LEAST_CONFIDENCE = 0.3
"""A reading whose best emotion is less probable says nothing."""

_DEFAULT_GATE = Gate()


class FaceEmotion:
    """Reads the emotion of faces in RGB frames.

    Args:
        model: ``face_emotion.tflite``.
        gate: Faces that do not pass it are not read.
        batch: The same model with a larger batch, for frames of many faces.

    Raises:
        ModelError: The model's labels are not the seven emotions in their order, or it has no temperature.
    """

    def __init__(self, model: Model, *, gate: Gate = _DEFAULT_GATE, batch: Model | None = None) -> None:
        if model.sidecar.labels != tuple(Emotion):
            raise ModelError(f"{model.path}: labels are {model.sidecar.labels}, need {tuple(e.value for e in Emotion)}")
        if not model.sidecar.thresholds.get("temperature", 0.0) > 0:
            raise ModelError(f"{model.path}: its sidecar needs a temperature above 0; install classroom-edge again")
        self._model, self._batch = model, batch
        self._table = model.pixel_table()
        self._temperature = model.sidecar.thresholds["temperature"]
        self._gate = gate

    def readable(
        self,
        pixels: Pixels,
        box_xyxy: npt.NDArray[np.float32],
        *,
        roll_deg: float = 0.0,
        yaw_deg: float | None = None,
    ) -> Pixels | None:
        """Return the crop of one face, grey, shape (48, 48); ``None`` when it is not good enough to be read.

        Args:
            pixels: RGB frame, shape (height, width, 3).
            box_xyxy: Shape (4,), pixels.
            roll_deg: How far the head leans, clockwise in the picture; the crop is turned back by it.
            yaw_deg: How far the head is turned to a side, if that is known.
        """
        side = float(np.sqrt(max(np.prod(box_xyxy[2:] - box_xyxy[:2]), 0.0)))
        if side < self._gate.side_px:
            return None
        crop = self.crop(pixels, box_xyxy, roll_deg)
        return crop if self._gate.passes(quality_of(crop, side), yaw_deg) else None

    def read(self, crops: list[Pixels]) -> list[EmotionDistribution | None]:
        """Read crops of the faces of a frame; ``None`` where nothing is probable enough to say."""
        readings: list[EmotionDistribution] = []
        if self._batch is not None:
            size = self._batch.shape[0]
            while len(crops) - len(readings) > size // 2:
                part = crops[len(readings) : len(readings) + size]
                # A last batch that is not full is filled up with its first face.
                stacked = np.stack([*part, *(part[:1] * (size - len(part)))])
                logits = self._batch.run_quantised(self._table[stacked][..., None])[0]
                readings += [self._calibrated(row) for row in logits[: len(part)]]
        readings += [self.classify(crop) for crop in crops[len(readings) :]]
        return [reading if max(reading.probabilities) >= LEAST_CONFIDENCE else None for reading in readings]

    def classify(self, crop: Pixels) -> EmotionDistribution:
        """Return what the model says of one grey crop, shape (48, 48), however doubtful."""
        # (1, 48, 48, 1)
        return self._calibrated(self._model.run_quantised(self._table[crop][None, :, :, None])[0][0])

    def _calibrated(self, logits: npt.NDArray[np.float32]) -> EmotionDistribution:
        return EmotionDistribution.of(np.exp((logits - logits.max()) / self._temperature))

    def crop(self, pixels: Pixels, box_xyxy: npt.NDArray[np.float32], roll_deg: float = 0.0) -> Pixels:
        """Cut an upright square around a box and shrink it to the network's size, shape (48, 48), grey.

        Args:
            pixels: RGB, shape (height, width, 3).
            box_xyxy: Shape (4,), pixels.
            roll_deg: How far the head leans clockwise in the picture, degrees; the crop is turned back by it.
        """
        size = self._model.shape[1]
        left, top, right, bottom = (float(v) for v in box_xyxy)
        side = FACE_TO_CROP * float(np.sqrt((right - left) * (bottom - top)))
        x, y = (left + right) / 2, (top + bottom) / 2
        # Only the square's surroundings are turned grey and filtered, not the frame.
        reach = side * (0.75 if roll_deg else 0.5) + 2
        x0, y0 = max(int(x - reach), 0), max(int(y - reach), 0)
        part = pixels[y0 : int(y + reach) + 2, x0 : int(x + reach) + 2]
        grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY)
        scale = size / side
        if scale < 0.7:  # noqa: PLR2004 - below this, linear sampling alone skips pixels
            shrink = scale * 1.2
            rows, columns = grey.shape
            grey = cv2.resize(grey, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
            shrink_x, shrink_y = grey.shape[1] / columns, grey.shape[0] / rows
        else:
            shrink_x = shrink_y = 1.0
        centre = ((x - x0) * shrink_x, (y - y0) * shrink_y)
        matrix = np.asarray(cv2.getRotationMatrix2D(centre, roll_deg, scale / shrink_x), np.float64)
        matrix[:, 2] += size / 2 - np.array(centre)
        square = cv2.warpAffine(grey, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(square, np.uint8)
