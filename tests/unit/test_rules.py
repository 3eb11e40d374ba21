"""What rings: rules as data."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.alerts.rules import Rule


def test_the_default_rule_has_room_between_its_thresholds() -> None:
    """What raises is above what clears, so a share between them changes nothing."""
    rule = Rule()

    assert 0 < rule.clear_below < rule.raise_at < 1
    assert rule.hold_s > 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": ""}, "needs a name"),
        ({"raise_at": 0.0}, r"raise_at must be in \(0, 1\], got 0.0"),
        ({"raise_at": 1.1}, r"raise_at must be in \(0, 1\], got 1.1"),
        ({"raise_at": float("nan")}, "raise_at must be"),
        ({"raise_at": 0.4, "clear_below": 0.4}, r"clear_below must be in \[0, raise_at\), got 0.4 with 0.4"),
        ({"clear_below": -0.1}, "clear_below must be"),
        ({"hold_s": -1.0}, "hold_s must not be negative, got -1.0"),
    ],
)
def test_a_rule_that_cannot_work_is_refused(change: dict[str, Any], message: str) -> None:
    """Each wrong number is named with its value."""
    with pytest.raises(ValueError, match=message):
        Rule(**change)


@given(raise_at=st.floats(1e-6, 1), part=st.floats(0, 0.999), hold_s=st.floats(0, 3600))
def test_every_sound_rule_is_accepted(raise_at: float, part: float, hold_s: float) -> None:
    """Any threshold with a lower one below it and any hold make a rule."""
    rule = Rule(raise_at=raise_at, clear_below=raise_at * part, hold_s=hold_s)

    assert rule.clear_below < rule.raise_at
