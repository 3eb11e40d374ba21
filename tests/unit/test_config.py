"""The settings file."""

import os
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from edge.config import EXAMPLE, SourceKind, check_settings, read_settings
from edge.errors import SettingsError
from edge.privacy.policy import Mode, Purpose
from edge.role import Role
from edge.rulebook import default_rules

LEAST: dict[str, Any] = {"privacy": {"mode": "observable"}, "sources": [{"name": "front", "kind": "camera"}]}


@pytest.fixture(autouse=True)
def _no_settings_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("EDGE_")]:
        monkeypatch.delenv(name)


def test_the_least_file_is_a_mode_and_a_source(tmp_path: Path) -> None:
    """Everything else has a default that works."""
    path = tmp_path / "edge.toml"
    path.write_text('privacy.mode = "observable"\n[[sources]]\nname = "front"\nkind = "camera"\n', "utf-8")
    settings = read_settings(path)

    assert settings.privacy.policy().mode is Mode.OBSERVABLE
    assert [(s.name, s.kind, s.role) for s in settings.sources] == [("front", SourceKind.CAMERA, Role.STUDENTS)]
    assert tuple(rule.rule() for rule in settings.rules) == default_rules()


@pytest.mark.parametrize(
    ("change", "key", "text"),
    [
        ({"colour": 1}, "colour", "unknown key"),
        ({"_env_file": "other"}, "_env_file", "unknown key"),
        ({"mqtt": {"hots": "x"}}, "mqtt.hots", "unknown key"),
        ({"sources": [{"name": "a", "kind": "camera", "fsp": 5}]}, "sources.0.fsp", "unknown key"),
        ({"privacy": {}}, "privacy.mode", "missing, and there is no default"),
        ({"privacy": {"mode": "all"}}, "privacy.mode", "'observable' or 'emotion'"),
        ({"privacy": {"mode": "emotion"}}, "privacy", "needs jurisdiction"),
        ({"privacy": {"mode": "observable", "least_people": 2}}, "privacy.least_people", "greater than or equal to 3"),
        ({"privacy": 5}, "privacy", "dictionary"),
        ({"fusion": {"window_s": 2, "hop_s": 3}}, "fusion", r"hop_s (3.0) must not be longer than window_s (2.0)"),
        ({"fusion": {"hop_s": 0}}, "fusion.hop_s", "greater than 0"),
        ({"fusion": {"least_s": float("nan")}}, "fusion.least_s", "greater than or equal to 0"),
        ({"sources": []}, "sources", "at least 1"),
        ({"sources": [{"name": "a", "kind": "telescope"}]}, "sources.0.kind", "'camera'"),
        ({"sources": [{"name": "a b", "kind": "camera"}]}, "sources.0.name", "pattern"),
        ({"sources": [{"kind": "camera"}]}, "sources.0.name", "missing"),
        ({"sources": [{"name": "a", "kind": "stream"}]}, "sources.0", "kind 'stream' needs url"),
        ({"sources": [{"name": "a", "kind": "file", "url": ""}]}, "sources.0", "kind 'file' needs url"),
        ({"sources": [{"name": "a", "kind": "camera"}] * 2}, "", "sources must have different names, got a, a"),
        ({"rules": [{"name": "r"}, {"name": "r"}]}, "", "rules must have different names, got r, r"),
        ({"rules": [{"raise_at": 0.3, "clear_at": 0.5}]}, "rules.0", "clear_at must be in (0, 0.3)"),
        ({"rules": [{"hold_s": -1}]}, "rules.0.hold_s", "greater than or equal to 0"),
        ({"mqtt": {"port": 70000}}, "mqtt.port", "65535"),
        ({"mqtt": {"port": "many"}}, "mqtt.port", "integer"),
        ({"mqtt": {"site": "a/b"}}, "mqtt.site", "pattern"),
        ({"vision": {"rate_hz": 0}}, "vision.rate_hz", "greater than 0"),
        ({"voice": {"least_speech": 1.5}}, "voice.least_speech", "less than or equal to 1"),
    ],
)
def test_a_wrong_value_gives_one_line_with_its_key(change: dict[str, Any], key: str, text: str) -> None:
    """What is wrong, where, by the key's dotted path, and nothing of pydantic's own pages."""
    with pytest.raises(SettingsError) as caught:
        check_settings({**LEAST, **change}, where="edge.toml")

    message = str(caught.value)
    assert message.startswith(f"edge.toml: {key}: " if key else "edge.toml: ")
    assert text in message
    assert "\n" not in message
    assert "pydantic" not in message


def test_no_mode_is_no_start() -> None:
    """A file without a privacy section is refused by name."""
    with pytest.raises(SettingsError, match=r"^edge\.toml: privacy: missing, and there is no default for it$"):
        check_settings({"sources": LEAST["sources"]}, where="edge.toml")


def test_only_the_first_fault_is_named_and_the_others_are_counted() -> None:
    """One line, whatever the number of faults."""
    with pytest.raises(SettingsError, match=r"mqtt\.host: .* \(and 2 more\)$"):
        check_settings({**LEAST, "mqtt": {"port": 0, "host": "", "x": 1}}, where="edge.toml")


@pytest.mark.parametrize("purpose", ["education", "research"])
def test_emotions_in_the_eu_are_refused_with_the_article(purpose: str) -> None:
    """The law stands in the error."""
    privacy = {
        "mode": "emotion",
        "jurisdiction": "DE",
        "purpose": purpose,
        "responsible": "A. Person",
        "decided_on": date(2026, 2, 1),
    }
    with pytest.raises(SettingsError, match=r"^edge\.toml: privacy: .*2024/1689, article 5\(1\)\(f\)"):
        check_settings({**LEAST, "privacy": privacy}, where="edge.toml")


def test_a_lawful_emotion_mode_passes_with_its_decision() -> None:
    """What the operator decided reaches the policy whole."""
    privacy = {
        "mode": "emotion",
        "jurisdiction": "CH",
        "purpose": "research",
        "responsible": "A. Person",
        "decided_on": date(2026, 2, 1),
        "least_people": 8,
    }
    policy = check_settings({**LEAST, "privacy": privacy}, where="edge.toml").privacy.policy()

    assert (policy.mode, policy.least_people, policy.purpose) == (Mode.EMOTION, 8, Purpose.RESEARCH)
    assert (policy.jurisdiction, policy.responsible) == ("CH", "A. Person")


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    """The next command stands in the error."""
    path = tmp_path / "no.toml"
    with pytest.raises(SettingsError, match=re.escape(f"{path}: no such settings file; 'edge init {path}' writes one")):
        read_settings(path)


@pytest.mark.parametrize("text", [b"mode = ", b"[privacy\n", b"a = 1\na = 2\n", b"\x00"])
def test_a_file_that_is_not_toml_says_where(tmp_path: Path, text: bytes) -> None:
    """The place of the first fault stands in the error."""
    path = tmp_path / "edge.toml"
    path.write_bytes(text)
    with pytest.raises(SettingsError, match=r"edge\.toml: not TOML: .*(line \d|end of document)") as caught:
        read_settings(path)

    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_text_cannot_be_read(tmp_path: Path) -> None:
    """Neither a picture nor a folder is a settings file."""
    path = tmp_path / "edge.toml"
    path.write_bytes(b"\xff\xd8\xff")
    for place in (path, tmp_path):
        with pytest.raises(SettingsError, match="can't be read"):
            read_settings(place)


def test_the_environment_stands_in_for_what_should_not_be_in_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A password from the environment joins the file's section, wins over it, and leaves the rest alone."""
    monkeypatch.setenv("EDGE_MQTT__PASSWORD", "from-environment")
    settings = check_settings({**LEAST, "mqtt": {"host": "broker", "password": "from-file"}}, where="edge.toml")

    assert settings.mqtt.password is not None
    assert settings.mqtt.password.get_secret_value() == "from-environment"
    assert settings.mqtt.host == "broker"
    assert settings.mqtt.port == 1883


def test_the_environment_is_enough_without_the_section(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file without [mqtt] takes the variable into the section's defaults."""
    monkeypatch.setenv("EDGE_MQTT__HOST", "broker.school")
    settings = check_settings(LEAST, where="edge.toml")

    assert (settings.mqtt.host, settings.mqtt.site) == ("broker.school", "school")


@pytest.mark.parametrize(
    ("variable", "value", "text"),
    [
        ("EDGE_MQTT__PORT", "many", "mqtt.port"),
        ("EDGE_MQTT__TYPO", "1", "mqtt.typo"),
        ("EDGE_MQTT", "not json", "mqtt"),
        ("EDGE_SOURCES", "[", "sources"),
    ],
)
def test_a_wrong_variable_gives_one_line(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, text: str) -> None:
    """What comes from the environment is checked like the file."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=text) as caught:
        check_settings(LEAST, where="edge.toml")

    assert "\n" not in str(caught.value)


def test_a_password_is_never_shown() -> None:
    """Neither repr nor str nor an error about its neighbour has it."""
    values = {**LEAST, "mqtt": {"password": "hunter2"}}
    settings = check_settings(values, where="edge.toml")
    with pytest.raises(SettingsError) as caught:
        check_settings({**values, "mqtt": {"password": "hunter2", "port": -1}}, where="edge.toml")

    for shown in (repr(settings), str(settings), repr(settings.mqtt), str(caught.value), repr(caught.value)):
        assert "hunter2" not in shown


def test_settings_cannot_be_changed() -> None:
    """What was checked stays as it was checked."""
    settings = check_settings(LEAST, where="edge.toml")

    with pytest.raises(ValueError, match="frozen"):
        settings.mqtt.port = 1  # type: ignore[misc]


def test_the_example_needs_a_decision(tmp_path: Path) -> None:
    """As written it is refused for want of a mode, and only for that."""
    path = tmp_path / "edge.toml"
    path.write_text(EXAMPLE, "utf-8")
    with pytest.raises(SettingsError, match=r"edge\.toml: privacy\.mode: missing, and there is no default for it$"):
        read_settings(path)


def test_the_example_works_once_a_mode_is_chosen(tmp_path: Path) -> None:
    """Both modes, chosen as the comments say."""
    path = tmp_path / "edge.toml"
    path.write_text(EXAMPLE.replace('# mode = "emotion"', 'mode = "observable"'), "utf-8")
    observable = read_settings(path)
    path.write_text(
        re.sub(r"^# (mode|jurisdiction|purpose|responsible|decided_on)", r"\1", EXAMPLE, flags=re.MULTILINE), "utf-8"
    )
    emotion = read_settings(path)

    assert [source.kind for source in observable.sources] == [SourceKind.CAMERA, SourceKind.MICROPHONE]
    assert emotion.privacy.policy().reads_emotions
    assert not observable.privacy.policy().reads_emotions
