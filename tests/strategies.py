"""What hypothesis draws values from."""

import numpy as np
import numpy.typing as npt
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from edge.observation import Emotion, EmotionDistribution

few = settings(max_examples=25, deadline=None)
"""For properties whose every example takes milliseconds."""

weights = st.lists(st.floats(0, 1e12), min_size=len(Emotion), max_size=len(Emotion)).filter(lambda w: sum(w) > 0)
"""Seven non-negative weights, not all zero."""

distributions = weights.map(EmotionDistribution.of)
"""Any distribution over the emotions."""


@st.composite
def boxes(draw: st.DrawFn, least: int = 0, most: int = 12) -> npt.NDArray[np.float32]:
    """Boxes as left, top, right, bottom on a 200 pixel frame, shape (n, 4); some have no area."""
    count = draw(st.integers(least, most))
    corners = draw(stn.arrays(np.float32, (count, 2), elements=st.integers(0, 150)))
    sides = draw(stn.arrays(np.float32, (count, 2), elements=st.integers(0, 50)))
    return np.concatenate([corners, corners + sides], axis=1)
