"""The notice and the impact assessment as they come out of the settings."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.privacy.documents import dpia, notice
from edge.privacy.policy import Mode, Policy, Purpose
from edge.role import Role

EMOTION = Policy(
    Mode.EMOTION, jurisdiction="ch", purpose=Purpose.RESEARCH, responsible="Ana Keller", decided_on=date(2026, 2, 1)
)
OBSERVABLE = Policy(Mode.OBSERVABLE)
BOTH = pytest.mark.parametrize("write", [notice, dpia])


def settings(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - settings of all kinds
    """Return what a page is written from."""
    return {
        "policy": EMOTION,
        "retention_days": 180.0,
        "site": "Lakeside School",
        "room": "B 214",
        "sources": [("camera", Role.STUDENTS), ("microphone", Role.STUDENTS), ("csi_camera", Role.TEACHER)],
        "rules": ["negative_mood", "too_loud"],
        "mqtt_host": "broker.lakeside.example",
        "printed_on": date(2026, 3, 2),
        **changes,
    }


class _Page(HTMLParser):
    """Counts what a page opens and closes, and gathers its text and addresses."""

    _VOID = frozenset({"meta", "br", "link", "img"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.addresses: list[str] = []
        self.tags: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href"}]
        if tag not in self._VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@BOTH
@pytest.mark.parametrize("policy", [EMOTION, OBSERVABLE])
def test_a_page_is_whole_and_needs_nothing_else(write: Callable[..., str], policy: Policy) -> None:
    """Every element is closed, every field is filled, and nothing is fetched."""
    page = _Page(write(**settings(policy=policy)))

    assert page.stack == []
    assert page.addresses == []
    assert not {"script", "link", "img", "iframe"} & page.tags
    assert "@import" not in page.text
    assert "url(" not in page.text
    assert "$" not in page.text


@BOTH
def test_a_page_says_what_the_settings_say(write: Callable[..., str]) -> None:
    """Place, group, days, person with the date, broker, sources, law and the day of the print."""
    text = " ".join(_Page(write(**settings())).text.split())

    for fact in (
        "B 214",
        "Lakeside School",
        "5",
        "180 days",
        "Ana Keller, who decided this on 01 February 2026",
        "broker.lakeside.example",
        "camera on the students, a microphone on the students and a camera on the teacher",
        "Regulation (EU) 2024/1689, article 5(1)(f)",
        "CH",
        "02 March 2026",
        "seven expressions of the class and of the teacher",
    ):
        assert fact in text, fact


def test_the_assessment_follows_the_article_and_names_the_rules() -> None:
    """All four parts of article 35(7), advice and views, and what only the school can say is open."""
    page = dpia(**settings())
    text = _Page(page).text

    for part in ("35(7)(a)", "35(7)(b)", "35(7)(c)", "35(7)(d)", "35(2)", "35(9)", "35(11)", "article 36", "9(1)"):
        assert part in text, part
    assert "negative_mood, too_loud" in text
    assert page.count('class="open') > 20


@BOTH
def test_observing_says_that_no_emotions_are_read(write: Callable[..., str]) -> None:
    """Without a decision on purpose and person these are open."""
    page = write(**settings(policy=OBSERVABLE))

    assert "seven expressions" not in page
    assert "of teachers as of students" in " ".join(page.split())
    assert page.count('class="open') > write(**settings()).count('class="open') - 2


def test_what_is_left_out_of_the_teacher_is_not_claimed() -> None:
    """With the teacher's emotions off, only the class's are."""
    text = notice(**settings(policy=replace(EMOTION, teacher_emotions=False)))

    assert "seven expressions of the class, from" in text


def test_the_exception_in_the_eu_is_told_with_its_reason() -> None:
    """And who answers for its evidence is open."""
    policy = replace(EMOTION, jurisdiction="DE", purpose=Purpose.MEDICAL)

    assert "This box runs for a medical reason" in _Page(notice(**settings(policy=policy))).text


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_a_broker_on_the_box_is_told_as_such(host: str) -> None:
    """Nothing leaves it then but to who reads there."""
    text = _Page(notice(**settings(mqtt_host=host))).text

    assert "broker on the box itself" in text
    assert host not in text


@pytest.mark.parametrize(("days", "says"), [(1.0, "1 day,"), (30.0, "30 days,"), (0.5, "0.5 days,")])
def test_days_are_written_as_people_do(days: float, says: str) -> None:
    """One day is a day."""
    assert says in _Page(notice(**settings(retention_days=days))).text


def test_without_rules_and_sources_nothing_is_made_up() -> None:
    """No rule rings, nothing looks."""
    bare = settings(rules=[], sources=[])

    assert "The teacher is told" not in notice(**bare)
    assert "<td>none</td>" in dpia(**bare)


@given(text=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=30))
def test_whatever_the_settings_hold_is_text(text: str) -> None:
    """No name of a school, room, rule, host or person becomes markup."""
    hostile = f'<b>"{text}&$x'
    policy = replace(EMOTION, responsible=hostile)
    fields = settings(policy=policy, site=hostile, room=hostile, rules=[hostile], mqtt_host=hostile)

    for write in (notice, dpia):
        page = _Page(write(**fields))

        assert page.stack == []
        assert hostile.strip() in page.text
