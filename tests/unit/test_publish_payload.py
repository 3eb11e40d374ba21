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

from edge.behaviour import Behaviour, Component, Engagement
from edge.metric import Metric, Standing
from edge.observation import EmotionDistribution
from edge.publish.payload import (
    LARGEST,
    ActiveAlertsPayload,
    AlertPayload,
    HealthPayload,
    LessonPayload,
    Payload,
    PayloadError,
    Presence,
    StatePayload,
    SummaryPayload,
    parse,
)
from edge.publish.request_payload import COMMANDS, ResponsePayload
from edge.publish.topics import Topics
from edge.role import Role
from edge.summary import AlertState, EvidenceState, Lesson, ModalitySummary, WindowSummary
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
    TOPICS.lesson: LessonPayload,
    **{TOPICS.command(name): kind for name, kind in COMMANDS.items()},
    TOPICS.response("<name>"): ResponsePayload,
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

    fused, behaviour = message["fused"], message["behaviour"]

    assert (fused.pop("observations"), fused.pop("effective")) == (0, 0.0)
    assert set(fused.values()) == {None}
    assert {value for key, value in behaviour.items() if not key.endswith("_people")} == {None}
    assert (message["engagement"], message["activity"], message["standings"]) == (None, None, [])
    assert message["coverage"]["speech_ratio"] is None
    assert message["evidence"] == "not_enough"


def told() -> WindowSummary:
    """Return a window in which all is known."""
    said = ModalitySummary(60, EmotionDistribution((0.1, 0.0, 0.0, 0.3, 0.1, 0.0, 0.5)), effective=12.04)
    components = (Component("attention", 0.7, 11.0, "people"), Component("calm", 0.5, 30.0, "seconds of sound"))
    return replace(
        summary(10.0, 0.2),
        fused=said,
        behaviour=Behaviour(attention=0.71239, attention_people=11.02, movement=0.06, talk=0.25, turns_per_min=3.123),
        engagement=Engagement(components),
        standings=(Standing(Metric.MOVEMENT, 0.06, 0.04, 0.01), Standing(Metric.NEGATIVE, 0.2, 0.1, 0.2)),
    )


def test_what_is_worked_out_is_told_with_its_evidence() -> None:
    """Intervals hold their shares; components, standings and activity arrive with what they rest on."""
    read = parse(SummaryPayload, SummaryPayload.of(told()).to_json())

    assert read.evidence is EvidenceState.ENOUGH
    assert read.fused.negative_interval is not None
    assert read.fused.positive_interval is not None
    assert read.fused.negative_interval[0] < 0.2 < read.fused.negative_interval[1]
    assert (read.fused.positive_share, read.fused.effective) == (0.3, 12.0)
    assert (read.fused.valence, read.fused.arousal) == (round(0.243 - 0.114, 4), round(0.059 + 0.153 - 0.027, 4))
    assert read.behaviour is not None
    assert (read.behaviour.attention, read.behaviour.turns_per_min, read.behaviour.silence) == (0.7124, 3.12, None)
    assert read.engagement is not None
    assert (read.engagement.score, read.engagement.components[1].unit) == (0.6, "seconds of sound")
    assert [standing.z for standing in read.standings] == [2.0, 0.5]
    assert read.activity == 2.0


def test_suppressed_window_tells_nothing_worked_out() -> None:
    """Whatever a suppressed window was given, nothing that follows from people is written, and none is read."""
    message = SummaryPayload.of(replace(told(), suppressed=True))
    forged = json.loads(message.to_json()) | {"activity": 2.0}

    assert message.evidence is EvidenceState.WITHHELD
    assert (message.behaviour, message.engagement, message.activity, message.standings) == (None, None, None, ())
    with pytest.raises(PayloadError, match="suppressed"):
        parse(SummaryPayload, json.dumps(forged).encode())


def test_first_version_of_the_schema_is_still_read() -> None:
    """Messages without what was added later are read as before."""
    window, one = json.loads(written()), json.loads(AlertPayload.of(alert()).to_json())
    for later in ("evidence", "behaviour", "engagement", "activity", "standings"):
        del window[later]
    for part in ("face", "voice", "fused"):
        window[part] = {key: window[part][key] for key in ("observations", "shares", "negative_share")}
    for part, later in ((window["coverage"], "face_s"), (window["coverage"], "voice_s"), (one, "severity")):
        del part[later]
    del one["metric"], one["usual"]

    assert parse(SummaryPayload, json.dumps(window).encode()).fused.positive_share is None
    assert parse(AlertPayload, json.dumps(one).encode()) == AlertPayload.of(alert())


def test_only_raised_alerts_are_active() -> None:
    """A list of active alerts with one that ended, or a digest, is refused."""
    for state in (AlertState.CLEARED, AlertState.DIGEST):
        forged = json.dumps({"alerts": [json.loads(AlertPayload.of(alert("a", state)).to_json())]}).encode()
        with pytest.raises(PayloadError, match="only raised"):
            parse(ActiveAlertsPayload, forged)


def test_lesson_is_told_as_it_runs_and_as_it_ended() -> None:
    """A lesson survives the wire; before the first there is none."""
    lesson = Lesson("l", "Maths", EPOCH, None, group="7b", kind="lecture")
    ended = replace(lesson, ended_at=EPOCH - timedelta(hours=1), title="x" * 2000)  # the clock was set back
    read = [parse(LessonPayload, LessonPayload.of(one).to_json()).lesson for one in (lesson, ended, None)]

    assert read[0] is not None
    assert (read[0].title, read[0].group, read[0].ended_at) == ("Maths", "7b", None)
    assert read[1] is not None
    assert (read[1].title, read[1].ended_at) == ("x" * 1000, EPOCH - timedelta(hours=1))
    assert read[2] is None


def test_faults_are_told() -> None:
    """What is wrong with the box is in its health, bounded."""
    sick = replace(health(), faults=("disk full", *["x" * 2000] * 100))
    read = parse(HealthPayload, HealthPayload.of(sick).to_json())

    assert (read.faults[0], len(read.faults), len(read.faults[1])) == ("disk full", 32, 1000)


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
    read = parse(SummaryPayload, written(weather="rain", fused={**json.loads(written())["fused"], "weather": "rain"}))

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
        {"evidence": "not_enough"},
        {"fused": {"observations": 1, "shares": None, "negative_share": None, "positive_share": 0.1}},
        {"fused": {"observations": 1, "shares": None, "negative_share": None, "negative_interval": [0.0, 0.1]}},
        {"fused": json.loads(written())["fused"] | {"negative_interval": [0.5, 0.6]}},
        {"fused": json.loads(written())["fused"] | {"negative_interval": [0.1]}},
        {"fused": json.loads(written())["fused"] | {"valence": 1.5}},
        {"standings": [{"metric": "mood", "value": 0, "usual": 0, "spread": 1, "z": 0}]},
        {"behaviour": {"attention": 1.2}},
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
    return re.findall(r"^###? `(\S+)`$(?:(?!^##).)*?```json\n(.*?)```", DOCUMENT, flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(("topic", "example"), examples())
def test_documented_examples_are_messages(topic: str, example: str) -> None:
    """Each example of docs/mqtt.md is read by its topic's model and has all and only its fields."""
    message = json.loads(example)
    read = parse(KINDS[topic], example.encode())

    assert json.loads(read.to_json()) == message


def test_every_topic_is_documented() -> None:
    """Each topic has a section with an example, and a row in the table."""
    rows = [re.sub("command/.*", "command/<name>", topic) for topic in KINDS]

    assert {topic for topic, _ in examples()} == set(KINDS)
    assert all(f"| `{topic}` |" in DOCUMENT for topic in rows)


def test_naive_times_are_refused() -> None:
    """A time without a zone can't be written."""
    with pytest.raises(ValueError, match="timezone"):
        StatePayload(state=Presence.ONLINE, session="s", at=datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point
