"""Rules from TOML."""

import re
import tomllib
from pathlib import Path

import pytest

from edge.alerts.rules import Against, Direction, Rule, Special
from edge.errors import SettingsError
from edge.metric import Metric
from edge.role import Role
from edge.rulebook import RuleSettings, default_rulebook, default_rules, read_rulebook, read_rules
from edge.summary import Severity

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "alerts.md").read_text("utf-8")
FULL = """
alerts_per_hour = 3

[[rules]]
name = "away"
role = "students"
metric = "attention"
direction = "below"
against = "usual"
raise_at = -3
clear_at = -1
hold_s = 60
clear_hold_s = 20
cool_down_s = 300
interval_beyond = 1.0
severity = "info"
message = "{value} look to the front"

[[rules]]
name = "camera"
metric = "source_lost"
hold_s = 30
"""


def write(folder: Path, text: str) -> Path:
    """Write a file of rules."""
    path = folder / "rules.toml"
    path.write_text(text, "utf-8")
    return path


def test_every_key_reaches_its_rule(tmp_path: Path) -> None:
    """What the file says is what the stage gets."""
    path = write(tmp_path, FULL)

    assert read_rulebook(path).alerts_per_hour == 3
    assert read_rules(path) == (
        Rule(
            name="away",
            role=Role.STUDENTS,
            metric=Metric.ATTENTION,
            direction=Direction.BELOW,
            against=Against.USUAL,
            raise_at=-3.0,
            clear_at=-1.0,
            hold_s=60.0,
            clear_hold_s=20.0,
            cool_down_s=300.0,
            interval_beyond=1.0,
            severity=Severity.INFO,
            message="{value} look to the front",
        ),
        Rule(name="camera", metric=Special.SOURCE_LOST, hold_s=30.0),
    )


def test_nothing_said_is_the_default_rule() -> None:
    """The keys' defaults are the rule's own."""
    assert RuleSettings().rule() == Rule()
    assert set(RuleSettings.model_fields) == set(Rule.__dataclass_fields__)


def test_a_whole_settings_file_will_do(tmp_path: Path) -> None:
    """Its rules are read and the rest is left alone, so that a box's own rules can be replayed."""
    path = write(tmp_path, f'state = "edge.db"\n{FULL}\n[[sources]]\nname = "front"\nkind = "camera"\n')

    assert [rule.name for rule in read_rules(path)] == ["away", "camera"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rules = [", "rules.toml: not TOML: "),
        ("", "rules.toml: rules: missing, and there is no default for it"),
        ("rules = []", "rules.toml: needs at least one [[rules]]"),
        ("[[rules]]\nhold = 3", "rules.toml: rules.0.hold: unknown key; check its spelling"),
        ("[[rules]]\nhold_s = -3", "rules.toml: rules.0.hold_s: Input should be greater than or equal to 0"),
        ("[[rules]]\nhold_s = nan", "rules.toml: rules.0.hold_s: "),
        ("[[rules]]\nraise_at = inf", "rules.toml: rules.0.raise_at: Input should be a finite number"),
        ("[[rules]]\nraise_at = 0.3\nclear_at = 0.5", "rules.0: clear_at must be in (0, 0.3) for negative above"),
        ('[[rules]]\nmetric = "mood"', "rules.0.metric: must be one of negative, positive, valence, "),
        ('[[rules]]\nmetric = "talk"', "rules.0: metric 'talk' needs raise_at and clear_at"),
        ('[[rules]]\ndirection = "below"\nraise_at = 0.1', "rules.0: metric 'negative' needs clear_at"),
        ('[[rules]]\nmetric = "source_lost"\nraise_at = 3', "rules.0: metric 'source_lost' has no raise_at; leave it"),
        ('[[rules]]\nname = "a b"', "rules.toml: rules.0.name: "),
        ('[[rules]]\nmessage = "{who}"', "rules.0: message may name {value}, {limit}, {role}, {seconds}, got '{who}'"),
        ('[[rules]]\nrole = "all"\nseverity = "x"', "rules.toml: rules.0.role: Input should be"),
        ("[[rules]]\n[[rules]]", "rules must have different names, got negative_mood, negative_mood"),
        ("alerts_per_hour = 0\n[[rules]]", "rules.toml: alerts_per_hour: Input should be greater than or equal to 1"),
    ],
)
def test_what_cannot_be_is_told_in_one_line_with_its_key(tmp_path: Path, text: str, message: str) -> None:
    """The first fault, where it is, and what would be right."""
    with pytest.raises(SettingsError, match=re.escape(message)) as caught:
        read_rules(write(tmp_path, text))

    assert "\n" not in str(caught.value)


def test_further_faults_are_counted(tmp_path: Path) -> None:
    """One line, however many there are."""
    with pytest.raises(SettingsError, match=r"\(and 1 more\)"):
        read_rules(write(tmp_path, '[[rules]]\nrole = "all"\nseverity = "x"'))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Missing, a folder, or not text."""
    with pytest.raises(SettingsError, match=r"nowhere\.toml: no such file of rules"):
        read_rules(tmp_path / "nowhere.toml")
    with pytest.raises(SettingsError, match="can't be read"):
        read_rules(tmp_path)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="can't be read"):
        read_rules(tmp_path / "bytes.toml")


def test_the_shipped_rules_watch_what_they_promise() -> None:
    """Mood, activity both ways, the teacher, both roles' sources, and evidence; each cools down and is put in words."""
    rules = default_rules()

    assert [rule.name for rule in rules] == [
        "negative_mood",
        "class_too_active",
        "class_too_passive",
        "teacher_strained",
        "source_lost",
        "teacher_source_lost",
        "no_evidence",
    ]
    assert all(rule.cool_down_s > 0 and rule.hold_s > 0 and rule.message for rule in rules)
    assert default_rulebook().alerts_per_hour == 6


def test_the_document_has_every_key_and_every_shipped_rule() -> None:
    """docs/alerts.md names each key and metric, and its table says of each shipped rule what the file says."""
    for key in [*RuleSettings.model_fields, "alerts_per_hour", *Metric, *Special]:
        assert f"`{key}`" in DOCUMENT, key
    for rule in default_rules():
        row = next(line for line in DOCUMENT.splitlines() if line.startswith(f"| `{rule.name}` |"))
        numbers = [f"{rule.hold_s:g} s", f"{rule.cool_down_s:g} s", rule.severity.value]
        if isinstance(rule.metric, Metric):
            numbers += [f"{rule.raise_at:g}", f"{rule.clear_at:g}"]
        assert all(number in row for number in numbers), row


def test_the_documents_settings_make_rules() -> None:
    """Each settings file shown can be read by the rulebook too."""
    blocks = re.findall(r"```toml\n(.*?)```", DOCUMENT, flags=re.DOTALL)

    assert blocks
    for block in blocks:
        assert all(RuleSettings(**rule).rule() for rule in tomllib.loads(block)["rules"])
