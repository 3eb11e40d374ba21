"""What messages say, written and read."""

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.observation import EmotionDistribution
from edge.publish.payload import (
    LARGEST,
    ActiveAlertsPayload,
    AlertPayload,
    HealthPayload,
    Payload,
    PayloadError,
    Presence,
    StatePayload,
    SummaryPayload,
    parse,
)
from edge.publish.topics import Topics
from edge.role import Role
from edge.summary import ModalitySummary
from tests.builders import EPOCH, summary
from tests.outgoing import alert, health
from tests.strategies import distributions

TOPICS = Topics(site="<site>", room="<room>")
KINDS: dict[str, type[Payload]] = {
    TOPICS.state: StatePayload,
    TOPICS.health: HealthPayload,
    TOPICS.summary(Role.STUDENTS): SummaryPayload,
    TOPICS.summary(Role.TEACHER): SummaryPayload,
    TOPICS.alert: AlertPayload,
    TOPICS.alerts_active: ActiveAlertsPayload,
}
DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "mqtt.md").read_text("utf-8")


def written(**changes: object) -> bytes:
    """Return a summary's JSON with top-level fields changed."""
    message: dict[str, object] = json.loads(SummaryPayload.of(summary(10.0, 0.25)).to_json())
    return json.dumps(message | changes).encode()


@settings(deadline=None)
@given(distributions, st.booleans())
def test_summary_survives_the_wire(shares: EmotionDistribution, suppressed: bool) -> None:  # noqa: FBT001 - drawn
    """Any summary is read as it was written, with shares to four digits, or none where they are suppressed."""
    said = ModalitySummary(3, shares)
    sent = replace(summary(10.0, None), face=said, fused=said, suppressed=suppressed)
    read = parse(SummaryPayload, SummaryPayload.of(sent).to_json())

    assert read == SummaryPayload.of(sent)
    assert read.voice.shares is None
    if suppressed:
        assert (read.fused.shares, read.fused.negative_share) == (None, None)
    else:
        assert read.fused.shares is not None
        assert [*read.fused.shares.values()] == pytest.approx(shares.probabilities, abs=6e-5)
        assert read.fused.negative_share == pytest.approx(shares.negative_share, abs=3e-4)


def test_no_evidence_is_null() -> None:
    """Without evidence shares and share are null in the JSON, never zero."""
    message = json.loads(SummaryPayload.of(summary(10.0, None, speech_ratio=None)).to_json())

    assert message["fused"] == {"observations": 0, "shares": None, "negative_share": None}
    assert message["coverage"]["speech_ratio"] is None


def test_times_are_utc() -> None:
    """A time of any zone is written as UTC with milliseconds and Z."""
    there = EPOCH.astimezone(timezone(timedelta(hours=5, minutes=30)))
    message = json.loads(StatePayload(state=Presence.ONLINE, session="s", at=there).to_json())

    assert message["at"] == "2026-03-02T08:00:00.000Z"


def test_nothing_tells_of_one_person() -> None:
    """No message has a field for a box, a track, a name of a person, an image or a sound."""
    words = re.compile(r"track|box|face_id|landmark|image|pixels|samples|embedding|student_")
    schemas = [json.dumps(kind.model_json_schema()["properties"]) for kind in KINDS.values()]

    assert not any(words.search(schema) for schema in schemas)


def test_unknown_fields_are_skipped() -> None:
    """A newer box's additions don't trouble an older reader."""
    read = parse(SummaryPayload, written(weather="rain", fused={**json.loads(written())["fused"], "valence": 0.1}))

    assert read == SummaryPayload.of(summary(10.0, 0.25))


@pytest.mark.parametrize(
    "changes",
    [
        {"schema_version": 2},
        {"schema_version": "1"},
        {"role": "headmaster"},
        {"opened_at": "2026-03-02T08:00:00"},
        {"closed_at": "2026-03-02T07:00:00Z"},
        {"closed_s": "10"},
        {"closed_s": True},
        {"late": -1},
        {"late": 1.5},
        {"suppressed": True},
        {"suppressed": "false"},
        {"fused": None},
        {"fused": {"observations": 1, "shares": None, "negative_share": 0.0}},
        {"fused": {"observations": 1, "shares": {"anger": 1.0}, "negative_share": 1.0}},
        {"fused": {"observations": 1, "shares": dict.fromkeys(("anger", "rage"), 0.5), "negative_share": 1.0}},
        {"coverage": {"people": 10**400}},
    ],
    ids=str,
)
def test_wrong_fields_are_refused(changes: dict[str, Any]) -> None:
    """A message that can't be true is refused in one line."""
    with pytest.raises(PayloadError) as caught:
        parse(SummaryPayload, written(**changes))

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
def test_numbers_that_are_none_are_refused(value: bytes) -> None:
    """JSON dialects with infinities are refused."""
    with pytest.raises(PayloadError):
        parse(SummaryPayload, written().replace(b'"closed_s": 10.0', b'"closed_s": ' + value))


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode) | st.just(b"[" * 50_000))
def test_hostile_bytes_are_refused(data: bytes) -> None:
    """Whatever arrives that is no message is an error of one short line, for every kind."""
    for kind in set(KINDS.values()):
        with pytest.raises(PayloadError) as caught:
            parse(kind, data)

        assert len(str(caught.value)) < 400
        assert "\n" not in str(caught.value)


def test_huge_messages_are_not_even_read() -> None:
    """More bytes than a message can have are refused by their number alone."""
    with pytest.raises(PayloadError, match=f"at most {LARGEST}"):
        parse(AlertPayload, b" " * (LARGEST + 1))


def test_long_texts_of_ours_fit() -> None:
    """An endless reason or error is cut, so that what we write can always be read."""
    long = "x" * 5000

    assert parse(AlertPayload, AlertPayload.of(alert(reason=long)).to_json()).reason == "x" * 1000
    assert parse(HealthPayload, HealthPayload.of(health(error=long)).to_json()).sources[0].error == "x" * 1000


def examples() -> list[tuple[str, str]]:
    """Return each JSON example of the document with the topic of its section."""
    return re.findall(r"^## `(\S+)`$(?:(?!^## ).)*?```json\n(.*?)```", DOCUMENT, flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(("topic", "example"), examples())
def test_documented_examples_are_messages(topic: str, example: str) -> None:
    """Each example of docs/mqtt.md is read by its topic's model and has all and only its fields."""
    message = json.loads(example)
    read = parse(KINDS[topic], example.encode())

    assert json.loads(read.to_json()) == message


def test_every_topic_is_documented() -> None:
    """Each topic has a section with an example, and a row in the table."""
    assert {topic for topic, _ in examples()} == set(KINDS)
    assert all(f"| `{topic}` |" in DOCUMENT for topic in KINDS)


def test_naive_times_are_refused() -> None:
    """A time without a zone can't be written."""
    with pytest.raises(ValueError, match="timezone"):
        StatePayload(state=Presence.ONLINE, session="s", at=datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point
