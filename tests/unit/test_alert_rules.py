"""What rings: rules as data."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.alerts.rules import Against, Direction, Rule, Special
from edge.metric import Metric

NAN, INF = float("nan"), float("inf")
BELOW, USUAL = Direction.BELOW, Against.USUAL


def test_the_default_rule_has_room_between_its_thresholds() -> None:
    """What raises is above what clears, so a share between them changes nothing."""
    rule = Rule()

    assert 0 < rule.clear_at < rule.raise_at < 1
    assert (rule.raise_at, rule.clear_at, rule.hold_s) == (0.40, 0.28, 10.0)
    assert (rule.name, rule.metric) == ("negative_mood", Metric.NEGATIVE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": ""}, "needs a name"),
        ({"name": "digest"}, "needs a name other than 'digest'"),
        ({"raise_at": 0.0}, r"raise_at must be in \(0, 1\] for negative above, got 0.0"),
        ({"raise_at": 1.1}, r"raise_at must be in \(0, 1\] for negative above, got 1.1"),
        ({"raise_at": NAN}, "raise_at must be"),
        ({"raise_at": 0.4, "clear_at": 0.4}, r"clear_at must be in \(0, 0.4\) .*, got 0.4"),
        ({"clear_at": -0.1}, "clear_at must be"),
        ({"clear_at": 0.0}, "clear_at must be"),
        ({"clear_at": NAN}, "clear_at must be"),
        ({"direction": BELOW}, "clear_at must be"),
        ({"direction": BELOW, "raise_at": 1.0}, r"raise_at must be in \[0, 1\) for negative below"),
        ({"metric": Metric.LEVEL, "raise_at": 3.0}, r"raise_at must be in \(-200, 0\]"),
        ({"metric": Metric.ACTIVITY, "raise_at": -2.0}, "raise_at must be .* in spreads above the usual"),
        ({"metric": Metric.ACTIVITY, "raise_at": INF}, "raise_at must be"),
        ({"metric": Metric.ACTIVITY, "raise_at": 2.0, "clear_at": -INF}, "clear_at must be"),
        ({"metric": Metric.ACTIVITY, "raise_at": 2.0, "direction": BELOW}, "raise_at must be"),
        ({"metric": Metric.ACTIVITY, "raise_at": 2.0, "against": USUAL}, "activity is measured in spreads"),
        ({"hold_s": -1.0}, "hold_s must be in .* got -1.0"),
        ({"hold_s": NAN}, "hold_s must be"),
        ({"clear_hold_s": INF}, "clear_hold_s must be"),
        ({"cool_down_s": -0.1}, "cool_down_s must be"),
        ({"interval_beyond": 0.4}, "on the quiet side"),
        ({"interval_beyond": NAN}, "interval_beyond must be"),
        ({"metric": Metric.TALK, "interval_beyond": 0.1}, "interval_beyond is for negative, positive, attention, not"),
        ({"metric": Special.SOURCE_LOST, "interval_beyond": 0.1}, "compared with nothing"),
        ({"metric": Special.NO_EVIDENCE, "against": USUAL}, "compared with nothing"),
        ({"message": "{people} cry"}, r"message may name \{value\}, \{limit\}, \{role\}, \{seconds\}, got"),
        ({"message": "{value.__class__}"}, "message may name"),
        ({"message": "{value!r:>9}"}, "message may name"),
        ({"message": "{}"}, "message may name"),
        ({"message": "{value"}, "message can't be filled in"),
        ({"metric": Special.NO_EVIDENCE, "message": "{value}"}, r"message may name \{role\}, \{seconds\}, got"),
    ],
)
def test_a_rule_that_cannot_work_is_refused(change: dict[str, Any], message: str) -> None:
    """Each wrong number or combination is named with its value."""
    with pytest.raises(ValueError, match=message):
        Rule(**change)


@given(raise_at=st.floats(1e-6, 1), part=st.floats(0.001, 0.999), hold_s=st.floats(0, 3600))
def test_every_sound_rule_is_accepted(raise_at: float, part: float, hold_s: float) -> None:
    """Any threshold with a lower one below it and any hold make a rule, and its mirror image as well."""
    rule = Rule(raise_at=raise_at, clear_at=raise_at * part, hold_s=hold_s)
    low = Rule(direction=BELOW, raise_at=1 - raise_at, clear_at=1 - raise_at * part) if raise_at * part > 1e-9 else rule

    assert rule.clear_at < rule.raise_at
    assert low is rule or low.clear_at > low.raise_at


@given(value=st.floats(-10, 10), raise_at=st.floats(0.01, 5), gap=st.floats(0.01, 5), below=st.booleans())
def test_no_value_both_raises_and_clears(value: float, raise_at: float, gap: float, below: bool) -> None:  # noqa: FBT001 - drawn
    """Hysteresis: the two sides do not touch, whichever way the rule looks."""
    sign = -1 if below else 1
    rule = Rule(
        metric=Metric.ACTIVITY,
        direction=BELOW if below else Direction.ABOVE,
        raise_at=sign * raise_at,
        clear_at=sign * (raise_at - gap),
    )

    assert not (rule.meets(value) and rule.ends(value))
    assert rule.meets(sign * raise_at)
    assert not rule.ends(sign * (raise_at - gap))
