"""What goes into the database comes out of it."""

import math
import struct
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.behaviour import Behaviour, Component, Engagement
from edge.metric import Metric, Standing
from edge.observation import EmotionDistribution
from edge.role import Role
from edge.store import rows
from edge.store.packing import AMOUNTS, VALUES, Readings, pack, unpack
from edge.store.schema import window_key, window_keys
from edge.summary import (
    Alert,
    AlertState,
    Coverage,
    Feedback,
    Health,
    Lesson,
    ModalitySummary,
    Severity,
    SourceHealth,
    SourceState,
    Verdict,
    WindowSummary,
)
from tests.builders import EPOCH, summary
from tests.outgoing import alert
from tests.stored import MEASURED
from tests.strategies import distributions, few

values = st.floats(-90, 90, width=32)
amounts = st.floats(0, 65504, width=16)
seconds = st.integers(0, 10**11).map(lambda us: us / 1e6)
instants = st.integers(0, 10**15).map(lambda us: EPOCH + timedelta(microseconds=us % (10**14)))
names = st.text(max_size=12)
numbers = st.floats(allow_nan=False, allow_infinity=False)


def float32(shares: EmotionDistribution) -> EmotionDistribution:
    """Return the distribution as four-byte numbers can hold it."""
    return EmotionDistribution(struct.unpack("<7f", struct.pack("<7f", *shares.probabilities)))


shares = distributions.map(float32)
components = st.builds(Component, names, st.floats(0, 1, width=32), amounts, names)
modalities = st.builds(ModalitySummary, st.integers(0, 10**6), st.none() | shares, amounts)
maybe = st.none() | values
behaviours = st.builds(Behaviour, maybe, amounts, maybe, amounts, *[maybe] * 5)


@st.composite
def windows(draw: st.DrawFn) -> WindowSummary:
    """Draw any window whose numbers are as narrow as the rows are."""
    at = draw(instants)
    opened_us, length_us = draw(st.integers(0, 10**11)), draw(st.integers(1, 10**9))
    window = WindowSummary(
        opened_at=at,
        closed_at=at + timedelta(microseconds=length_us),
        opened_s=opened_us / 1e6,
        closed_s=(opened_us + length_us) / 1e6,
        role=draw(st.sampled_from(Role)),
        face=draw(modalities),
        voice=draw(modalities),
        fused=draw(modalities),
        coverage=draw(
            st.builds(Coverage, st.integers(0, 99), maybe, maybe, maybe, st.integers(0, 99), amounts, amounts)
        ),
        late=draw(st.integers(0, 10**9)),
        behaviour=draw(behaviours),
        engagement=draw(st.none() | st.builds(Engagement, st.lists(components, max_size=5).map(tuple))),
    )
    usual = st.tuples(st.floats(-90, 90), st.floats(1e-3, 9)).map(lambda pair: [float(f"{x:.7g}") for x in pair])
    told = [(metric, value) for metric in MEASURED if (value := window.value(metric)) is not None]
    stand = draw(st.lists(st.sampled_from(told), unique_by=lambda pair: pair[0])) if told else []
    return replace(window, standings=tuple(Standing(metric, value, *draw(usual)) for metric, value in stand))


def through_row(window: WindowSummary) -> WindowSummary:
    """Return a window as it is read back."""
    row = list(rows.from_summary(window, 7, 3))
    key, rest_us, closed_s, length_s = row[:4]
    closed_us = (key >> 1 & (1 << 42) - 1) * 1000 + rest_us  # as the table works them out
    opened_us = closed_us - round(length_s * 1e6)
    role = "teacher" if key & 1 else "students"
    return rows.to_summary((role, closed_us, opened_us, closed_s, length_s, *row[4:]), {3: rows.from_context(window)})


@few
@given(windows())
def test_windows_come_back_as_they_were(window: WindowSummary) -> None:
    """A window comes back with every field: 32-bit floats, amounts of evidence 16-bit ones, times to a microsecond."""
    read = through_row(window)

    assert replace(read, opened_s=window.opened_s) == window
    assert math.isclose(read.opened_s, window.opened_s, abs_tol=1e-6)


def test_no_evidence_comes_back_as_none() -> None:
    """A window without any evidence has none when it is read, and an engagement without parts is not no engagement."""
    nothing = ModalitySummary(0, None)
    empty = replace(
        summary(10.0, None), face=nothing, voice=nothing, fused=nothing, coverage=Coverage(0, None, None, None, 0)
    )
    unknown = replace(empty, engagement=Engagement(()))

    assert through_row(empty) == empty
    assert through_row(unknown) == unknown


def test_suppressed_windows_say_nothing_about_people() -> None:
    """Of a suppressed window only when it was, and how sound the box was, reaches the row."""
    window = replace(
        summary(10.0, 0.25),
        suppressed=True,
        late=4,
        behaviour=Behaviour(0.5, 3.0, 0.1, 3.0),
        engagement=Engagement((Component("attention", 0.5, 3.0, "people"),)),
        standings=(Standing(Metric.NEGATIVE, 0.25, 0.1, 0.05),),
    )
    nothing = ModalitySummary(0, None)
    expected = replace(
        summary(10.0, None),
        face=nothing,
        voice=nothing,
        fused=nothing,
        coverage=Coverage(0, None, None, None, 0),
        suppressed=True,
        late=4,
    )

    assert through_row(window) == expected
    assert rows.from_context(window) == rows.NO_CONTEXT


@given(
    st.lists(st.none() | shares, min_size=3, max_size=3),
    st.lists(maybe, min_size=len(VALUES), max_size=len(VALUES)),
    st.lists(amounts, min_size=len(AMOUNTS), max_size=len(AMOUNTS)),
    st.none() | st.lists(st.tuples(values, amounts), max_size=9),
)
def test_packing_keeps_every_number(
    said: list[EmotionDistribution | None],
    told: list[float | None],
    evidence: list[float],
    parts: list[tuple[float, float]] | None,
) -> None:
    """Unpacking gives what was packed, whatever is missing."""
    readings = Readings(said, told, evidence, parts)

    assert unpack(pack(readings)) == readings


def test_absent_numbers_cost_nothing() -> None:
    """A window that says nothing packs into its mask alone."""
    assert len(pack(Readings([None] * 3, [None] * len(VALUES), [0.0] * len(AMOUNTS)))) == 4


def test_amounts_beyond_sixteen_bits_are_cut() -> None:
    """More evidence than a 16-bit float can say is kept as the most it can."""
    packed = pack(Readings([None] * 3, [None] * len(VALUES), [1e9] * len(AMOUNTS), [(0.5, 1e9)]))

    assert unpack(packed).amounts == [65504.0] * len(AMOUNTS)
    assert unpack(packed).components == [(0.5, 65504.0)]


@pytest.mark.parametrize("packed", [b"", b"\x01\x00\x00\x00", bytes(5)])
def test_bytes_that_are_no_readings(packed: bytes) -> None:
    """Bytes of the wrong length are refused."""
    with pytest.raises(ValueError, match="can't be told"):
        unpack(packed)


@given(st.integers(1, 1 << 19), st.integers(0, 1 << 42), st.integers(0, 1 << 42), st.booleans())
def test_keys_keep_lessons_apart_and_in_order(lesson: int, first_ms: int, second_ms: int, teacher: bool) -> None:  # noqa: FBT001 - drawn
    """A lesson's keys lie in its own range, in order of time, and fit into SQLite's integers."""
    first_ms, second_ms = sorted((first_ms % (1 << 42), second_ms % (1 << 42)))
    lowest, highest = window_keys(lesson)
    first = window_key(lesson, first_ms * 1000, teacher=teacher)
    second = window_key(lesson, second_ms * 1000 + 999, teacher=teacher)

    assert lowest <= first <= second <= highest < window_keys(lesson + 1)[0] < 1 << 63


@given(
    st.builds(
        Alert,
        id=names,
        rule=names,
        state=st.sampled_from(AlertState),
        role=st.sampled_from(Role),
        at=instants,
        at_s=numbers,
        since_s=numbers,
        reason=names,
        value=st.none() | numbers,
        threshold=numbers,
        severity=st.sampled_from(Severity),
        metric=st.none() | st.sampled_from(Metric),
        usual=st.none() | numbers,
    )
)
def test_alerts_come_back_as_they_were(sent: Alert) -> None:
    """An alert comes back to the last digit."""
    assert rows.to_alert(rows.from_alert(sent)) == sent


@given(
    st.builds(Lesson, names, names, instants, st.none() | instants, names, names),
    st.builds(Feedback, names, st.sampled_from(Verdict), instants),
)
def test_lessons_and_feedback_come_back_as_they_were(sent: Lesson, answer: Feedback) -> None:
    """Lessons and teachers' answers come back as they were."""
    assert rows.to_lesson(rows.from_lesson(sent)) == sent
    assert rows.to_feedback(rows.from_feedback(answer)) == answer


sources = st.builds(
    SourceHealth,
    names,
    st.sampled_from(Role),
    st.sampled_from(SourceState),
    st.none() | names,
    *[st.integers(0, 10**9)] * 2,
    numbers,
    st.integers(0, 10**9),
    numbers,
    st.none() | numbers,
)


@given(
    st.builds(
        Health,
        instants,
        st.lists(sources, max_size=3).map(tuple),
        st.none() | numbers,
        st.none() | numbers,
        numbers,
        st.integers(0, 10**9),
        st.lists(names, max_size=3).map(tuple),
    )
)
def test_health_comes_back_as_it_was(sent: Health) -> None:
    """A health report comes back with its sources, in order, and its faults."""
    assert rows.to_health(rows.from_health(sent), rows.from_sources(sent)) == sent


def test_alert_without_a_metric() -> None:
    """An alert that watches no metric, such as a lost source, comes back without one."""
    lost = replace(alert(), metric=None, severity=Severity.CRITICAL, state=AlertState.DIGEST)

    assert rows.to_alert(rows.from_alert(lost)) == lost
