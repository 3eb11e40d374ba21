"""The operator's choice, checked."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from edge.privacy import policy as policy_module
from edge.privacy.policy import EEA, LOWEST_GROUP, Mode, Policy, Purpose

DECIDED = date(2026, 2, 1)
COMPLETE: dict[str, Any] = {
    "jurisdiction": "CH",
    "purpose": Purpose.RESEARCH,
    "responsible": "A. Person",
    "decided_on": DECIDED,
}


def test_a_mode_must_be_chosen() -> None:
    """There is no default: a box without a decision does not start."""
    with pytest.raises(TypeError, match="mode"):
        Policy()  # type: ignore[call-arg]


def test_observing_needs_no_further_decision_and_reads_no_emotions() -> None:
    """The lawful mode works anywhere, the EU included."""
    assert not Policy(Mode.OBSERVABLE).reads_emotions
    assert not Policy(Mode.OBSERVABLE, jurisdiction="DE", purpose=Purpose.EDUCATION).reads_emotions


def test_a_complete_decision_where_the_law_allows_it_reads_emotions() -> None:
    """Jurisdiction, purpose, responsible person and date together allow it."""
    assert Policy(Mode.EMOTION, **COMPLETE).reads_emotions


@pytest.mark.parametrize("missing", ["jurisdiction", "purpose", "responsible"])
@pytest.mark.parametrize("value", [None, "", "   "])
def test_an_incomplete_decision_is_refused(missing: str, value: str | None) -> None:
    """Each of the three is needed; an empty one is none; the message names it and the way out."""
    with pytest.raises(ValueError, match=f"needs {missing}; or choose mode 'observable'"):
        Policy(Mode.EMOTION, **{**COMPLETE, missing: value})


def test_a_decision_without_a_date_is_refused() -> None:
    """Somebody must have decided at some time."""
    with pytest.raises(ValueError, match=r"needs decided_on.*or choose mode 'observable'"):
        Policy(Mode.EMOTION, **{**COMPLETE, "decided_on": None})


def test_a_decision_of_tomorrow_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A date that has begun nowhere on earth is a slip, or the clock is wrong; the message says both."""
    noon = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    monkeypatch.setattr(policy_module, "utc_now", lambda: noon)

    # At noon UTC the third has begun at UTC+14.
    assert Policy(Mode.EMOTION, **{**COMPLETE, "decided_on": noon.date() + timedelta(days=1)}).reads_emotions
    with pytest.raises(
        ValueError, match=r"decided_on is 2026-03-04, in the future.*correct the date, or set the clock"
    ):
        Policy(Mode.EMOTION, **{**COMPLETE, "decided_on": noon.date() + timedelta(days=2)})


def test_observing_may_be_dated_too() -> None:
    """The lawful mode takes the same keys and needs none."""
    assert Policy(Mode.OBSERVABLE, decided_on=DECIDED).decided_on == DECIDED


@pytest.mark.parametrize("country", ["DE", "de", " De ", "FR", "RE", "AX", "GR", "EL", "IS", "NO", "LI", "EU", "EEA"])
@pytest.mark.parametrize("purpose", [Purpose.EDUCATION, Purpose.RESEARCH])
def test_emotions_are_refused_in_the_eu_and_eea_with_the_article(country: str, purpose: Purpose) -> None:
    """However the code is written, the law is cited, with its own words on whom it covers."""
    words = (
        r"'in the areas of workplace and education institutions' is prohibited.*"
        r"Regulation \(EU\) 2024/1689, article 5\(1\)\(f\).*teachers, who are workers.*choose mode 'observable'"
    )
    with pytest.raises(ValueError, match=words):
        Policy(Mode.EMOTION, **{**COMPLETE, "jurisdiction": country, "purpose": purpose})


@pytest.mark.parametrize("country", sorted(EEA))
@pytest.mark.parametrize("purpose", [Purpose.MEDICAL, Purpose.SAFETY])
def test_medical_and_safety_reasons_are_allowed_everywhere(country: str, purpose: Purpose) -> None:
    """The article's own exception."""
    assert Policy(Mode.EMOTION, **{**COMPLETE, "jurisdiction": country, "purpose": purpose}).reads_emotions


@pytest.mark.parametrize("country", ["DEU", "Germany", "D", "12", "D-", "\u0395\u03bb", "\uff24\uff25"])
def test_a_country_that_is_not_two_letters_is_refused(country: str) -> None:
    """A member state spelt another way does not slip past the law."""
    with pytest.raises(ValueError, match="two letters"):
        Policy(Mode.EMOTION, **{**COMPLETE, "jurisdiction": country})


def test_all_thirty_states_are_known() -> None:
    """27 of the Union and Iceland, Liechtenstein and Norway; Switzerland and the United Kingdom are not among them."""
    states = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK IS LI NO"

    assert set(states.split(" ")) <= EEA
    assert len(states.split(" ")) == 30
    assert not {"CH", "GB", "US"} & EEA


@pytest.mark.parametrize("mode", list(Mode))
def test_the_lowest_group_is_three(mode: Mode) -> None:
    """No setting publishes the shares of two people."""
    assert LOWEST_GROUP == 3
    assert Policy(mode, least_people=3, **COMPLETE).least_people == 3
    with pytest.raises(ValueError, match="at least 3, got 2"):
        Policy(mode, least_people=2, **COMPLETE)
