"""What waits in memory for the network."""

from edge.publish.tray import Outbound, Tray


def test_newest_live_value_waits() -> None:
    """Of a live topic only the newest value goes out, and the older one is counted."""
    tray = Tray()
    tray.open()
    tray.put_live("a", b"1")
    tray.put_live("b", b"1")
    tray.put_live("a", b"2")

    assert tray.take() == [Outbound("a", b"2", 0, retain=False), Outbound("b", b"1", 0, retain=False)]
    assert tray.take() == []
    assert tray.dropped == 1


def test_nothing_but_truths_waits_without_a_connection() -> None:
    """Live values and answers are dropped and counted while there is no connection, and when it ends."""
    tray = Tray()
    tray.put_live("a", b"1")
    tray.put_answer("b", b"1")
    tray.put_retained("c", b"1")
    tray.open()
    opened = tray.take()
    tray.put_live("a", b"2")
    tray.put_answer("b", b"2")
    tray.close()

    assert opened == [Outbound("c", b"1", 1, retain=True)]
    assert tray.dropped == 4
    assert not tray.is_open


def test_truths_go_out_with_each_connection() -> None:
    """A retained value goes out when it changes, and all of them again on a new connection."""
    tray = Tray()
    tray.put_retained("a", b"1")
    tray.put_retained("b", b"1")
    tray.open()
    first = tray.take()
    tray.put_retained("b", b"2")
    second = tray.take()
    tray.close()
    tray.open()
    third = tray.take()

    assert [(message.topic, message.payload) for message in first] == [("a", b"1"), ("b", b"1")]
    assert [(message.topic, message.payload) for message in second] == [("b", b"2")]
    assert [(message.topic, message.payload) for message in third] == [("a", b"1"), ("b", b"2")]


def test_answers_are_bounded() -> None:
    """More answers than anybody can have asked for are dropped and counted; they come before live values."""
    tray = Tray()
    tray.open()
    tray.put_live("live", b"")
    for number in range(300):
        tray.put_answer("r", b"%d" % number)
    taken = tray.take()

    assert [message.topic for message in taken] == ["r"] * 256 + ["live"]
    assert tray.dropped == 300 - 256
