"""Affine int8 quantisation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ModelError
from edge.inference.quantisation import Quantisation

kinds = st.builds(Quantisation, scale=st.floats(1e-3, 1e3), zero_point=st.integers(-128, 127))


def real(kind: Quantisation, step: float) -> np.float32:
    """Return the real number at a step, which may lie between two."""
    return np.float32((step - kind.zero_point) * kind.scale)


@given(kind=kinds, place=st.floats(-128, 127))
def test_inside_the_range_the_error_is_at_most_half_a_step(kind: Quantisation, place: float) -> None:
    """Rounding to the nearest step and back moves a number by half a step at most."""
    value = real(kind, place)
    back = kind.dequantise(kind.quantise(np.array([value], np.float32)))[0]

    assert abs(float(back) - float(value)) <= kind.scale * (0.5 + 1e-4)


@given(kind=kinds, beyond=st.floats(0, 1e6))
def test_outside_the_range_the_ends_stand_for_everything(kind: Quantisation, beyond: float) -> None:
    """Numbers beyond an end become that end and never wrap to the other."""
    values = np.array([real(kind, 127 + beyond), real(kind, -128 - beyond), np.inf, -np.inf], np.float32)

    assert kind.quantise(values).tolist() == [127, -128, 127, -128]


@given(kind=kinds)
def test_every_step_survives_the_way_there_and_back(kind: Quantisation) -> None:
    """All 256 steps are the fixed points of dequantising and quantising."""
    steps = np.arange(-128, 128).astype(np.int8)

    assert kind.quantise(kind.dequantise(steps)).tolist() == steps.tolist()
    assert kind.dequantise(np.array([kind.zero_point], np.int8))[0] == 0.0


@given(kind=kinds, values=st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=20))
def test_quantising_keeps_the_order(kind: Quantisation, values: list[float]) -> None:
    """A larger number never gets a smaller step."""
    steps = kind.quantise(np.array(sorted(values), np.float32)).astype(int)

    assert (np.diff(steps) >= 0).all()


def test_the_interpreters_description_is_read() -> None:
    """Scale and zero point come from the tensor itself."""
    found = Quantisation.of({"name": "x", "dtype": np.int8, "quantization": (0.5, -3)})

    assert found == Quantisation(0.5, -3)


@pytest.mark.parametrize(("dtype", "scale"), [(np.float32, 0.0), (np.float32, 1.0), (np.uint8, 1.0), (np.int8, 0.0)])
def test_a_tensor_that_is_not_quantised_int8_is_refused(dtype: type, scale: float) -> None:
    """Anything else is named, with the tensor, and refused."""
    with pytest.raises(ModelError, match=r"tensor 'x' is .*need quantised int8"):
        Quantisation.of({"name": "x", "dtype": dtype, "quantization": (scale, 0)})
