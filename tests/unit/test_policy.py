"""The operator's choice, checked."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.privacy.policy import EEA, LOWEST_GROUP, Mode, Policy, Purpose
from edge.role import Role
from edge.summary import ModalitySummary
from tests.builders import summary

COMPLETE: dict[str, Any] = {"jurisdiction": "CH", "purpose": Purpose.RESEARCH, "responsible": "A. Person"}
NOTHING = ModalitySummary(0, None)


def test_a_mode_must_be_chosen() -> None:
    """There is no default: a box without a decision does not start."""
    with pytest.raises(TypeError, match="mode"):
        Policy()  # type: ignore[call-arg]


def test_observing_needs_no_further_decision_and_reads_no_emotions() -> None:
    """The lawful mode works anywhere, the EU included."""
    assert not Policy(Mode.OBSERVABLE).reads_emotions
    assert not Policy(Mode.OBSERVABLE, jurisdiction="DE", purpose=Purpose.EDUCATION).reads_emotions


def test_a_complete_decision_where_the_law_allows_it_reads_emotions() -> None:
    """Jurisdiction, purpose and responsible person together allow it."""
    assert Policy(Mode.EMOTION, **COMPLETE).reads_emotions


@pytest.mark.parametrize("missing", list(COMPLETE))
@pytest.mark.parametrize("value", [None, "", "   "])
def test_an_incomplete_decision_is_refused(missing: str, value: str | None) -> None:
    """Each of the three is needed; an empty one is none; the message names it and the way out."""
    with pytest.raises(ValueError, match=f"needs {missing}; or choose mode 'observable'"):
        Policy(Mode.EMOTION, **{**COMPLETE, missing: value})


@pytest.mark.parametrize("country", ["DE", "de", " De ", "FR", "RE", "AX", "GR", "EL", "IS", "NO", "LI", "EU", "EEA"])
@pytest.mark.parametrize("purpose", [Purpose.EDUCATION, Purpose.RESEARCH])
def test_emotions_are_refused_in_the_eu_and_eea_with_the_article(country: str, purpose: Purpose) -> None:
    """However the code is written, the law is cited."""
    with pytest.raises(ValueError, match=r"Regulation \(EU\) 2024/1689, article 5\(1\)\(f\).*choose mode 'observable'"):
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


@given(people=st.integers(0, 40), least=st.integers(3, 40))
def test_students_shares_are_withheld_below_the_group(people: int, least: int) -> None:
    """Shares pass from *least* people on and never below."""
    whole = summary(10.0, 0.5, people=people)
    found = Policy(Mode.EMOTION, least_people=least, **COMPLETE).apply(whole)

    assert found.suppressed == (people < least)
    assert (found == whole) == (people >= least)


def test_nothing_of_the_shares_is_left_in_a_suppressed_summary() -> None:
    """Neither shares nor counts of readings remain, of faces, voice or both; presence and loudness do."""
    whole = summary(10.0, 0.7, people=4)
    found = Policy(Mode.EMOTION, **COMPLETE).apply(whole)

    assert (found.face, found.voice, found.fused) == (NOTHING, NOTHING, NOTHING)
    assert found.fused.negative_share is None
    assert found == replace(whole, face=NOTHING, voice=NOTHING, fused=NOTHING, suppressed=True)
    assert "0.7" not in repr(found)


def test_a_voice_in_an_empty_room_belongs_to_somebody() -> None:
    """Students' voices are withheld as well while nobody is in view."""
    assert Policy(Mode.EMOTION, **COMPLETE).apply(summary(10.0, 0.7, people=0)).voice == NOTHING


def test_the_teacher_is_no_group() -> None:
    """The teacher's own feedback passes with one face, or none."""
    for people in (0, 1):
        whole = summary(10.0, 0.5, role=Role.TEACHER, people=people)

        assert Policy(Mode.EMOTION, **COMPLETE).apply(whole) == whole
