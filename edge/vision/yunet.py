"""YuNet (Wu et al., 2023) as the face detector, for those who bring its ONNX file; OpenCV runs it."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edge.errors import ModelError
from edge.vision.detector import Detections

_OVERLAP = 0.45
_MOST_FACES = 5000


class YuNetDetector:
    """Finds faces in RGB frames of any size.

    Args:
        path: ``face_detection_yunet_*.onnx`` from OpenCV's model zoo, with a dynamic input size.
        confidence: Faces below this score are left out, in [0, 1].
        longest_px: Frames with a longer side are shrunk to it before the scan.

    Raises:
        ModelError: The file is missing or not such a network.
    """

    def __init__(self, path: Path, *, confidence: float = 0.6, longest_px: int = 1920) -> None:
        if not path.is_file():
            raise ModelError(
                f"{path}: no such YuNet file; set vision.detector_path to the .onnx, or detector to 'edge'"
            )
        try:
            self._net: Any = cv2.FaceDetectorYN.create(str(path), "", (320, 320), confidence, _OVERLAP, _MOST_FACES)
            self._net.detect(np.zeros((320, 320, 3), np.uint8))
        except cv2.error as error:
            reason = str(error).strip().splitlines()[0]
            raise ModelError(f"{path}: not a YuNet network that OpenCV can run ({reason})") from error
        self._longest = longest_px

    def detect(self, pixels: npt.NDArray[np.uint8]) -> Detections:
        """Find the faces of an RGB frame, shape (height, width, 3)."""
        height, width = pixels.shape[:2]
        scale = min(1.0, self._longest / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
        if scale < 1.0:
            bgr = np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA), np.uint8)
        self._net.setInputSize(size)
        found = self._net.detect(bgr)[1]
        # (faces, 15): x, y, width, height, five points, score
        rows = np.zeros((0, 15), np.float32) if found is None else np.asarray(found, np.float32)
        boxes = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1) / scale
        boxes = np.asarray(np.clip(boxes, 0, np.array([width, height, width, height])), np.float32)
        whole = (boxes[:, 2] - boxes[:, 0] >= 1) & (boxes[:, 3] - boxes[:, 1] >= 1)
        boxes, scores = boxes[whole], np.asarray(np.clip(rows[whole, 14], 0, 1), np.float32)
        best = np.argsort(-scores, kind="stable")
        return Detections(boxes[best], scores[best])
