"""The page of a lesson."""

import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.observation import Emotion, EmotionDistribution
from edge.report.page import lesson_page
from edge.report.timeline import BANDS, band_shares, clock
from edge.role import Role
from edge.summary import Alert, Lesson, WindowSummary
from tests.builders import EPOCH, summary
from tests.outgoing import alert
from tests.strategies import distributions

LESSON = Lesson("l1", "8b Maths", EPOCH, EPOCH + timedelta(minutes=2))
_VOID = {"meta", "link", "br", "img"}


class Structure(HTMLParser):
    """Checks that elements close in order, and keeps tags and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember what opened; nothing may load from elsewhere or run."""
        self.tags.append(tag)
        assert not [name for name, _ in attrs if name in {"src", "href"} or name.startswith("on")]
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Check that the innermost closes."""
        assert self._open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take an element that closes itself."""
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.words.append(data)


def words(*, summaries: list[WindowSummary], alerts: list[Alert] | None = None, lesson: Lesson = LESSON) -> str:
    """Return the page's text."""
    return " ".join(" ".join(Structure(lesson_page(lesson, summaries, alerts or [])).words).split())


def test_page_tells_the_lesson() -> None:
    """The page names lesson, time, shares of both roles, and the alert with its reason."""
    summaries = [summary(2.0 * n, 0.25, role=role) for n in range(1, 61) for role in Role]
    text = words(summaries=summaries, alerts=[alert(at_s=46.0)])

    assert "8b Maths" in text
    assert "Monday, 02 March 2026, 08:00 UTC, 2:00 min" in text
    assert text.count("25% negative") == 2
    assert "0:46 not cleared students negative 44% of students" in text
    assert "What this cannot tell you" in text


def test_gaps_are_told_apart() -> None:
    """Stretches without evidence and stretches withheld are drawn and named as what they are."""
    hidden = [replace(summary(2.0 * n, 0.5), suppressed=True) for n in range(41, 61)]
    summaries = [*(summary(2.0 * n, 0.5) for n in range(1, 21)), *(summary(2.0 * n, None) for n in range(21, 41))]
    text = words(summaries=summaries + hidden)

    assert "not enough evidence, 0:40 to 1:20" in text
    assert "too few people in view, 1:20 to 2:00" in text
    assert "33% of the time had enough evidence" in text
    assert "0:40 min withheld" in text


def test_empty_lesson_has_a_page() -> None:
    """A lesson without anything says so for each role."""
    text = words(summaries=[], lesson=replace(LESSON, ended_at=None))

    assert text.count("Nothing was watched or heard.") == 2
    assert "still running" in text


def test_hostile_words_stay_words() -> None:
    """Markup in a title, a reason or a consent is shown, never obeyed."""
    evil = '</title><script>alert(1)</script><img src=x onerror="alert(1)">$title'
    page = lesson_page(replace(LESSON, title=evil), [summary(10.0, 0.2)], [alert(reason=evil, at_s=11.0)], consent=evil)

    assert not {"script", "img"} & set(Structure(page).tags)
    assert page.count("&lt;script&gt;") == 5


def test_page_needs_nothing_else() -> None:
    """Nothing is loaded from anywhere."""
    page = lesson_page(LESSON, [summary(10.0, 0.2)], [])

    assert not re.search(r"https?:|@import|<script|url\((?!#)", page)


def test_times_are_the_schools() -> None:
    """The hour is that of the zone asked for."""
    assert "09:00 CET" in lesson_page(LESSON, [], [], zone=ZoneInfo("Europe/Paris"))


@settings(deadline=None)
@given(distributions)
def test_bands_hold_every_emotion_once(shares: EmotionDistribution) -> None:
    """The four bands are the seven emotions, and sum to one."""
    assert sorted(emotion for _, _, emotions in BANDS for emotion in emotions) == sorted(Emotion)
    assert sum(band_shares(shares)) == pytest.approx(1, abs=2e-3)


@settings(deadline=None)
@given(st.lists(st.tuples(st.none() | st.floats(0, 1), st.booleans()), min_size=1, max_size=30))
def test_drawing_stays_in_its_frame(windows: list[tuple[float | None, bool]]) -> None:
    """Whatever the lesson, the page is well-formed and every point lies inside the drawing."""
    summaries = [replace(summary(2.0 * n, share), suppressed=hidden) for n, (share, hidden) in enumerate(windows, 1)]
    page = lesson_page(replace(LESSON, ended_at=None), summaries, [alert(at_s=2.0)])
    Structure(page)
    points = [(float(x), float(y)) for x, y in re.findall(r"[M ](\d+\.\d),(-?\d+\.\d)", page)]

    assert all(44 <= x <= 924.1 and 23.9 <= y <= 174.1 for x, y in points)


@pytest.mark.parametrize(("seconds", "text"), [(0.0, "0:00"), (59.6, "1:00"), (2700.0, "45:00"), (6000.4, "100:00")])
def test_clock(seconds: float, text: str) -> None:
    """Seconds are written as minutes and seconds, rounded, with more than an hour still in minutes."""
    assert clock(seconds) == text
