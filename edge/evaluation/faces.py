"""Labelled faces in the layouts their publishers use, and NumPy archives of 48 or 96 pixel crops."""

import csv
import sys
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import cv2
import numpy as np
import numpy.typing as npt

from edge.errors import MediaError, SourceMissingError
from edge.evaluation.score import Labels
from edge.observation import Emotion

CONTEMPT = 7
"""CK+'s eighth label."""

_SIDE = 48
_FERPLUS = (*(e.value for e in Emotion), "contempt", "unknown", "NF")
_OF_CKPLUS = {1: 0, 2: CONTEMPT, 3: 1, 4: 2, 5: 3, 6: 4, 7: 5}
"""CK+'s codes (anger, contempt, disgust, fear, happy, sadness, surprise) to ours."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledFaces:
    """Grey crops with their labels."""

    images: npt.NDArray[np.uint8]
    """Shape (faces, 48, 48)."""

    labels: Labels
    """Shape (faces,); an index into :class:`~edge.observation.Emotion`, or :data:`CONTEMPT`."""

    def __len__(self) -> int:
        return len(self.labels)

    def only(self, chosen: npt.NDArray[np.bool_]) -> "LabelledFaces":
        """Return the faces where *chosen*, shape (faces,), is true."""
        return LabelledFaces(self.images[chosen], self.labels[chosen])


def read_archive(path: Path) -> LabelledFaces:
    """Read a NumPy archive with ``images`` (faces, side, side) grey and ``labels`` (faces,).

    Raises:
        SourceMissingError: There is no such file.
        MediaError: It is not such an archive.
    """
    if not path.is_file():
        raise SourceMissingError(f"{path}: no such file")
    try:
        with np.load(path, allow_pickle=False) as archive:
            images, labels = archive["images"], archive["labels"].astype(np.int64)
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise MediaError(f"{path}: not an archive of faces ({error}); need the arrays images and labels") from error
    if images.ndim != 3 or images.dtype != np.uint8 or len(images) != len(labels) or not len(images):  # noqa: PLR2004
        raise MediaError(f"{path}: images must be uint8 (faces, side, side), one label each, got {images.shape}")
    return LabelledFaces(np.stack([_shrunk(image) for image in images]), labels)


def read_ckplus(path: Path) -> LabelledFaces:
    """Read CK+: an archive, or its public folders ``cohn-kanade-images`` and ``Emotion``, last three frames a sequence.

    Raises:
        SourceMissingError: Nothing of CK+ is there.
        MediaError: It can't be read.
    """
    if not path.is_dir():
        return read_archive(path)
    images, labels = [], []
    for note in sorted(path.glob("Emotion/*/*/*_emotion.txt")):
        try:
            code = int(float(note.read_text().strip()))
        except (ValueError, UnicodeDecodeError) as error:
            raise MediaError(f"{note}: not a CK+ emotion code ({error})") from error
        if code not in _OF_CKPLUS:
            continue
        folder = path / "cohn-kanade-images" / note.parent.parent.name / note.parent.name
        for frame in sorted(folder.glob("*.png"))[-3:]:
            grey = cv2.imread(str(frame), cv2.IMREAD_GRAYSCALE)
            if grey is None:
                raise MediaError(f"{frame}: not an image")
            images.append(np.asarray(grey, np.uint8))
            labels.append(_OF_CKPLUS[code])
    if not images:
        raise SourceMissingError(f"{path}: no labelled sequence; need cohn-kanade-images/ and Emotion/ in it")
    return LabelledFaces(_cropped(images), np.array(labels, np.int64))


def read_fer2013(path: Path, usage: str = "PublicTest") -> tuple[LabelledFaces, Labels | None]:
    """Read FER2013's table, and FER+'s beside it if it is there.

    Args:
        path: ``fer2013.csv`` or the folder that holds it; ``fer2013new.csv`` (Barsoum et al., 2016) may lie beside it.
        usage: Which part: Training, PublicTest or PrivateTest.

    Returns:
        The faces with FER2013's own labels, and the FER+ majority: -1 where no single one of the seven emotions has
        most votes; ``None`` without FER+.

    Raises:
        SourceMissingError: There is no such file.
        MediaError: It is not that table, or has no row of that part.
    """
    table = path / "fer2013.csv" if path.is_dir() else path
    if not table.is_file():
        raise SourceMissingError(f"{table}: no such file")
    votes_table = table.with_name("fer2013new.csv")
    csv.field_size_limit(sys.maxsize)
    try:
        with table.open(encoding="ascii") as file:
            rows = [(n, row) for n, row in enumerate(csv.DictReader(file)) if row["Usage"] == usage]
        images = [np.array(row["pixels"].split(), np.uint8).reshape(_SIDE, _SIDE) for _, row in rows]
        labels = np.array([int(row["emotion"]) for _, row in rows], np.int64)
        if not images:
            raise MediaError(f"{table}: no row of usage {usage!r}")
        majority = _majority(votes_table, {n for n, _ in rows}) if votes_table.is_file() else None
    except (KeyError, ValueError, UnicodeDecodeError) as error:
        raise MediaError(f"{table}: not FER2013's table ({error}); need the columns emotion, pixels, Usage") from error
    return LabelledFaces(np.stack(images), labels), majority


def _majority(table: Path, wanted: set[int]) -> Labels:
    found = []
    with table.open(encoding="ascii") as file:
        for n, row in enumerate(csv.DictReader(file)):
            if n in wanted:
                votes = np.array([float(row[name]) for name in _FERPLUS])
                best = np.flatnonzero(votes == votes.max())
                unique = len(best) == 1 and votes.max() > 0 and best[0] < len(Emotion)
                found.append(int(best[0]) if unique else -1)
    if len(found) != len(wanted):
        raise MediaError(f"{table}: has {len(found)} of the {len(wanted)} rows of fer2013.csv")
    return np.array(found, np.int64)


def _shrunk(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    if image.shape == (_SIDE, _SIDE):
        return image
    return np.asarray(cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def _cropped(images: list[npt.NDArray[np.uint8]]) -> npt.NDArray[np.uint8]:
    """Cut the best face out of each whole picture, as the live service does."""
    # Imported here because only CK+'s public folders hold whole pictures.
    from edge.inference.model import Model  # noqa: PLC0415
    from edge.inference.sidecar import models_folder  # noqa: PLC0415
    from edge.vision.detector import FaceDetector  # noqa: PLC0415
    from edge.vision.emotion import FaceEmotion  # noqa: PLC0415

    detector = FaceDetector(Model(models_folder() / "face_detector.tflite"), confidence=0.1)
    emotion = FaceEmotion(Model(models_folder() / "face_emotion.tflite"))
    crops = []
    for number, grey in enumerate(images):
        pixels = np.repeat(grey[:, :, None], 3, axis=2)
        found = detector.detect(pixels)
        if not len(found):
            raise MediaError(f"picture {number + 1} of {len(images)}: no face found in it")
        crops.append(emotion.crop(pixels, found.boxes_xyxy[0]))
    return np.stack(crops)
