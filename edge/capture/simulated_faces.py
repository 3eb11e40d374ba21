"""Faces of nobody: a statistical model of shape and texture, seven emotions to each invented person.

``faces.npz`` is an active appearance model (Cootes, Edwards and Taylor, 2001), learned by
``tools/train/make_simulated_faces.py`` from the Karolinska Directed Emotional Faces. Nobody in it is real: the file
holds the mean face of 70 people for each emotion and the 14 main directions in which people differ, but no person's
own coefficients, and a quarter of what tells people apart lies in none of these directions. A pupil is a random point
near the mean.
"""

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import cv2
import numpy as np
import numpy.typing as npt

from edge.errors import SourceMissingError
from edge.observation import Emotion

Plane = npt.NDArray[np.float32]

FACES = Path(__file__).with_name("faces.npz")
"""The shipped model."""

SIDE = 96
"""Pixels of the model's frame."""

FACE_HEIGHT = 80.0
"""Pixels from the upper forehead to the chin of a mean face in the model's frame."""

SPREAD = 0.8
"""Standard deviations of a pupil's coefficients; people's own spread is 1."""

LIMIT = 1.4
"""Largest coefficient, in standard deviations."""


STRENGTH = {
    Emotion.ANGER: 1.0,
    Emotion.DISGUST: 0.4,
    Emotion.FEAR: 1.3,
    Emotion.HAPPINESS: 0.2,
    Emotion.SADNESS: 1.1,
    Emotion.SURPRISE: 0.1,
    Emotion.NEUTRAL: 0.0,
}
"""How much further each mean is pushed from neutral (disgust from anger and fear from surprise too): 0 is as the actors
posed it, 1 is twice as strong. Chosen so that a network trained on FER2013 names small faces as they are meant."""


@dataclass(frozen=True, slots=True, eq=False)
class FacePicture:
    """One face as planes of one picture, each of the shape it was asked for in."""

    light: Plane
    """Lightness in standard deviations from the face's mean."""

    oval: Plane
    """Where the face is, in [0, 1]."""

    lips: Plane
    """Where the lips are, in [0, 1]."""

    mouth: Plane
    """Where the inside of the mouth is, in [0, 1]."""

    eyes: Plane
    """Where the eyeballs are, in [0, 1]."""


class FaceModel:
    """Draws invented people.

    Args:
        path: A file of ``tools/train/make_simulated_faces.py``; the shipped one by default.

    Raises:
        SourceMissingError: The file isn't there or isn't one of that tool's.
    """

    def __init__(self, path: Path = FACES) -> None:
        try:
            with path.open("rb") as file, np.load(file) as data:
                self._load(data)
        except (OSError, KeyError, ValueError, BadZipFile) as error:
            raise SourceMissingError(f"{path}: no face model ({error}); install classroom-edge again") from error

    def _load(self, data: np.lib.npyio.NpzFile) -> None:
        inside = np.unpackbits(data["inside"])[: SIDE * SIDE].astype(bool)
        self._inside = inside.reshape(SIDE, SIDE)
        self._mean = data["mean_texture"] * data["mean_texture_scale"][:, None]
        self._textures = data["texture_modes"]
        self._texture_scale = data["texture_modes_scale"]
        self._fields = data["field_modes"]
        self._field_scale = data["field_modes_scale"]
        self._push = data["push_texture"] * data["push_texture_scale"][:, None]
        self._push_field = data["push_field"] * data["push_field_scale"][:, None, None, None]
        self._regions = data["regions"].astype(np.float32) / 255

    @property
    def modes(self) -> int:
        """Number of coefficients that make a person."""
        return len(self._textures)

    def invent(self, rng: np.random.Generator) -> Plane:
        """Return the coefficients of a new person near the mean, shape (modes,)."""
        return np.clip(rng.normal(scale=SPREAD, size=self.modes), -LIMIT, LIMIT).astype(np.float32)

    def draw(self, person: Plane, emotion: Emotion, x: Plane, y: Plane) -> FacePicture:
        """Draw a face with an emotion.

        Args:
            person: Coefficients, shape (modes,).
            emotion: What the face shows.
            x: Column of the model's frame to draw at each pixel, shape (height, width).
            y: Row of the model's frame, likewise.
        """
        index = tuple(Emotion).index(emotion)
        texture = self._mean[index] + (person * self._texture_scale) @ self._textures[:, index].astype(np.float32)
        field = np.tensordot(person * self._field_scale, self._fields[:, index].astype(np.float32), 1)
        strength = STRENGTH[emotion]
        texture = texture + strength * self._push[index]
        field = field + np.float32(strength) * self._push_field[index]
        plane = np.zeros((SIDE, SIDE), np.float32)
        plane[self._inside] = texture
        skin = _extended(plane, self._regions[index, 0])

        # The shape's displacements lie on a coarse grid over the frame.
        steps = np.float32((field.shape[0] - 1) / (SIDE - 1))
        moved = cv2.remap(field, x * steps, y * steps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        u, v = x + moved[..., 0], y + moved[..., 1]
        oval, lips, mouth, eyes = (
            cv2.remap(region, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT) for region in self._regions[index]
        )
        light = cv2.remap(skin, u, v, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        planes = (light, oval, lips, mouth, eyes)
        return FacePicture(*(np.asarray(plane, np.float32) for plane in planes))


def _extended(plane: Plane, oval: Plane) -> Plane:
    """Carry a face's skin on beyond its outline, whose own pixels are half hair and shadow."""
    core = cv2.erode(oval, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9)))
    total = cv2.GaussianBlur(plane * core, (0, 0), 7)
    weight = cv2.GaussianBlur(core, (0, 0), 7)
    skin = total / np.maximum(weight, 1e-3)
    far = np.clip(weight / 0.05, 0, 1)
    skin = far * skin + (1 - far) * float(np.mean(plane[core > 0]))
    soft = cv2.GaussianBlur(core, (0, 0), 1.5)
    return np.asarray(plane * soft + skin * (1 - soft), np.float32)
