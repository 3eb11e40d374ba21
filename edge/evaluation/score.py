"""Figures of a classifier: accuracy, mean recall, confusion, calibration."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.int64]
Probabilities = npt.NDArray[np.float64]

CALIBRATION_BINS = 15
"""Bins of confidence in the expected calibration error (Guo et al., 2017)."""


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """What a model got right."""

    labels: tuple[str, ...]
    """Names of the classes, in the order of rows and columns."""

    confusion: npt.NDArray[np.int64]
    """Shape (true classes, found classes): counts."""

    calibration_error: float
    """Expected calibration error in [0, 1]."""

    @property
    def n(self) -> int:
        """Cases judged."""
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        """Share found right, in [0, 1]."""
        return float(np.trace(self.confusion) / max(self.n, 1))

    @property
    def recalls(self) -> dict[str, float | None]:
        """Share of each true class found right; ``None`` for a class without cases."""
        rows = self.confusion.sum(axis=1)
        return {name: float(self.confusion[k, k] / rows[k]) if rows[k] else None for k, name in enumerate(self.labels)}

    @property
    def mean_recall(self) -> float:
        """Mean over the classes that have cases (unweighted average recall)."""
        known = [recall for recall in self.recalls.values() if recall is not None]
        return float(np.mean(known)) if known else 0.0

    def as_json(self) -> dict[str, object]:
        """Return plain data, rounded to four digits."""
        return {
            "n": self.n,
            "accuracy": round(self.accuracy, 4),
            "mean_recall": round(self.mean_recall, 4),
            "per_class": {name: None if r is None else round(r, 4) for name, r in self.recalls.items()},
            "expected_calibration_error": round(self.calibration_error, 4),
            "confusion": self.confusion.tolist(),
            "labels": list(self.labels),
        }


def score(probabilities: Probabilities, true: Labels, labels: tuple[str, ...]) -> Score:
    """Judge a classifier.

    Args:
        probabilities: Shape (cases, classes).
        true: Shape (cases,), indices into *labels*.
        labels: Names of the classes.

    Raises:
        ValueError: There is no case, or a label is not one of the classes.
    """
    if not len(true):
        raise ValueError("no labelled case to judge")
    if true.min() < 0 or true.max() >= len(labels):
        raise ValueError(f"labels must be 0 to {len(labels) - 1}, got {true.min()} to {true.max()}")
    found = probabilities.argmax(axis=1)
    confusion = np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(confusion, (true, found), 1)
    return Score(labels, confusion, calibration_error(probabilities.max(axis=1), found == true))


def calibration_error(confidence: Probabilities, right: npt.NDArray[np.bool_]) -> float:
    """Return the expected calibration error: the mean gap between confidence and accuracy over equal bins."""
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = [abs(float((right[bins == b] - confidence[bins == b]).sum())) for b in range(CALIBRATION_BINS)]
    return sum(gaps) / len(right)
