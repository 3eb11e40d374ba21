"""FER2013 in its public layout (`fer2013.csv`) with the FER+ votes (`fer2013new.csv`) beside it."""

import csv
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

LABELS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
"""Order of FER2013's own codes and of every emotion model's output."""


@dataclass(frozen=True, slots=True, eq=False)
class FerSet:
    """Faces of one usage with both kinds of label."""

    images: npt.NDArray[np.uint8]
    """Shape (images, 48, 48), grey."""

    labels: npt.NDArray[np.int64]
    """FER2013's own label, an index into :data:`LABELS`."""

    votes: npt.NDArray[np.float32]
    """Shape (images, 10): the FER+ taggers' votes (Barsoum et al., 2016); seven in the order of
    :data:`LABELS`, then contempt, unknown and not-a-face. All zero where FER+ has none."""

    @property
    def majority(self) -> npt.NDArray[np.int64]:
        """The most voted label where it wins alone and is one of the seven, else -1."""
        best = self.votes.max(axis=1)
        winner = self.votes.argmax(axis=1)
        unique = ((self.votes == best[:, None]).sum(axis=1) == 1) & (best > 0)
        return np.where(unique & (winner < len(LABELS)), winner, -1)


def read_fer(folder: Path, usage: str) -> FerSet:
    """Read the rows of one usage: ``Training``, ``PublicTest`` or ``PrivateTest``."""
    csv.field_size_limit(sys.maxsize)
    images, labels, votes = [], [], []
    with (folder / "fer2013.csv").open() as faces, (folder / "fer2013new.csv").open() as plus:
        for face, vote in zip(csv.DictReader(faces), csv.DictReader(plus), strict=True):
            if face["Usage"] != usage:
                continue
            images.append(np.array(face["pixels"].split(), np.uint8).reshape(48, 48))
            labels.append(int(face["emotion"]))
            named = bool(vote["Image name"])
            columns = (*LABELS, "contempt", "unknown", "NF")
            votes.append([float(vote[c]) if named else 0.0 for c in columns])
    return FerSet(np.stack(images), np.array(labels), np.array(votes, np.float32))
