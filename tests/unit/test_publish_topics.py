"""Where messages go."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import SettingsError
from edge.publish.topics import LONGEST_NAME, Topics
from edge.role import Role

names = st.text(st.characters(codec="utf-8"), max_size=LONGEST_NAME + 2)


def test_topics_of_a_room() -> None:
    """All topics are under edge/<site>/<room>."""
    topics = Topics(site="hill", room="room 12")

    assert topics.root == "edge/hill/room 12"
    assert topics.summary(Role.TEACHER) == "edge/hill/room 12/summary/teacher"
    assert (topics.state, topics.alerts_active) == ("edge/hill/room 12/state", "edge/hill/room 12/alerts/active")


@pytest.mark.parametrize("name", ["", "a/b", "+", "a#", "a\x00", "a\n", " a", "a ", "x" * (LONGEST_NAME + 1)])
def test_names_that_are_no_level_of_a_topic(name: str) -> None:
    """A name that would be another topic, a wildcard or unreadable is refused with its key."""
    with pytest.raises(SettingsError, match=r"^site: must"):
        Topics(site=name, room="r")
    with pytest.raises(SettingsError, match=r"^room: must"):
        Topics(site="s", room=name)


@settings(deadline=None)
@given(names, names)
def test_accepted_names_keep_rooms_apart(site: str, room: str) -> None:
    """Whatever names are accepted, a topic has the levels it should have, and no wildcard."""
    try:
        topics = Topics(site=site, room=room)
    except SettingsError:
        return

    assert topics.summary(Role.STUDENTS).split("/") == ["edge", site, room, "summary", "students"]
    assert not set(topics.root) & set("+#\x00\n")
