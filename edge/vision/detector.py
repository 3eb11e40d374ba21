"""Where the faces are: the anchor-free int8 detector over a whole frame."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.errors import ModelError
from edge.inference.model import Model
from edge.inference.quantisation import Quantisation
from edge.vision.boxes import Boxes, suppress

STRIDES = (4, 8, 16)
"""Pixels a cell of each output level covers."""
_MULTIPLE = 32
_MOST_CANDIDATES = 2000


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """The faces of one frame, best first."""

    boxes_xyxy: Boxes
    """Shape (faces, 4), pixels of the frame; inside it."""

    confidence: npt.NDArray[np.float32]
    """Shape (faces,), in [0, 1]."""

    def __len__(self) -> int:
        return len(self.confidence)


class FaceDetector:
    """Finds faces in RGB frames of any size.

    The network gives, for every cell at strides 4, 8 and 16, a face logit and the logarithm of the distances from the
    cell's centre to the four sides (as in FCOS, Tian et al., 2019).

    Args:
        model: ``face_detector.tflite``.
        confidence: Faces below this score are left out, in [0, 1]; ``None`` takes the model's own threshold.
        longest_px: Frames with a longer side are shrunk to it before the scan.

    Raises:
        ModelError: The model is not this network.
    """

    def __init__(self, model: Model, *, confidence: float | None = None, longest_px: int = 1920) -> None:
        thresholds = model.sidecar.thresholds
        if model.sidecar.name != "face_detector" or not {"confidence", "overlap"} <= thresholds.keys():
            raise ModelError(f"{model.path}: need the face_detector model, got {model.sidecar.name!r}")
        self._model = model
        self.confidence = thresholds["confidence"] if confidence is None else confidence
        self._overlap = thresholds["overlap"]
        self._longest = longest_px
        self._table = model.pixel_table()
        self._canvas = np.zeros((1, 0, 0, 3), np.int8)

    def detect(self, pixels: npt.NDArray[np.uint8]) -> Detections:
        """Find the faces of an RGB frame, shape (height, width, 3)."""
        height, width = pixels.shape[:2]
        scale = min(1.0, self._longest / max(height, width))
        if scale < 1.0:
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
        self._fill(pixels)
        boxes, scores = self._candidates(self._model.run_steps(self._canvas))
        boxes, scores = suppress(boxes, scores, self._overlap)
        limits = np.array([width, height, width, height], np.float32)
        boxes = np.clip(boxes / np.float32(scale), 0, limits)
        whole = (boxes[:, 2] - boxes[:, 0] >= 1) & (boxes[:, 3] - boxes[:, 1] >= 1)
        return Detections(boxes[whole], scores[whole])

    def _fill(self, pixels: npt.NDArray[np.uint8]) -> None:
        """Put the quantised pixels on a canvas whose sides the network's strides divide."""
        height, width = pixels.shape[:2]
        rows, columns = (-(-side // _MULTIPLE) * _MULTIPLE for side in (height, width))
        if self._canvas.shape[1:3] != (rows, columns):
            # Grey, as an unlit border would be.
            self._canvas = np.full((1, rows, columns, 3), self._table[114], np.int8)
            self._model.resize(rows, columns)
        elif (rows, columns) != (height, width):
            self._canvas[:] = self._table[114]
        self._canvas[0, :height, :width] = cv2.LUT(pixels, self._table)

    def _candidates(
        self, maps: list[tuple[npt.NDArray[np.int8], Quantisation]]
    ) -> tuple[Boxes, npt.NDArray[np.float32]]:
        """Turn raw maps into boxes in canvas pixels, shape (n, 4), with their scores, shape (n,)."""
        floor = math.log(max(self.confidence, 1e-6) / max(1 - self.confidence, 1e-6))
        boxes, logits = [], []
        for stride in STRIDES:
            rows = self._canvas.shape[1] // stride
            level = {steps.shape[3]: (steps[0], q) for steps, q in maps if steps.shape[1] == rows}
            # (H, W, 1) and (H, W, 4); only the few cells above the threshold become real numbers.
            (scores, score_scale), (sides, side_scale) = level[1], level[4]
            y, x = np.nonzero(scores[:, :, 0] >= score_scale.first_step(floor))
            distance = np.exp(np.clip(side_scale.dequantise(sides[y, x]), -4, 6)) * stride
            centre = np.stack([(x + 0.5) * stride, (y + 0.5) * stride], axis=1)
            boxes.append(np.concatenate([centre - distance[:, :2], centre + distance[:, 2:]], axis=1))
            logits.append(score_scale.dequantise(scores[y, x, 0]))
        found, logit = np.concatenate(boxes).astype(np.float32), np.concatenate(logits)
        if len(logit) > _MOST_CANDIDATES:
            best = np.argpartition(-logit, _MOST_CANDIDATES)[:_MOST_CANDIDATES]
            found, logit = found[best], logit[best]
        return found, np.asarray(1 / (1 + np.exp(-logit)), np.float32)
