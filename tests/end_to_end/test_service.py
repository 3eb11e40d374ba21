"""`edge run` as systemd would run it: a real process, a real mosquitto, a broker that dies in between."""

import getpass
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from edge.publish.subscriber import Subscriber
from edge.publish.topics import Topics

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/opt/homebrew/sbin")

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed (apt install mosquitto)"),
]

LESSON = """
title = "Short and sharp"
seconds = 26
[[phase]]
at_s = 0
students = { happiness = 1.0 }
teacher = "neutral"
[[phase]]
at_s = 3
students = { anger = 0.7, sadness = 0.3 }
teacher = "neutral"
[[phase]]
at_s = 15
students = { happiness = 1.0 }
teacher = "neutral"
"""

SETTINGS = """
[privacy]
mode = "emotion"
jurisdiction = "CH"
purpose = "research"
responsible = "A test"
decided_on = 2026-02-01
least_people = 3
[mqtt]
port = {port}
site = "test"
room = "r1"
[fusion]
window_s = 4
hop_s = 1
[[rules]]
hold_s = 2
[[sources]]
name = "class"
kind = "simulated"
lesson = "{lesson}"
"""

TOPICS = Topics(site="test", room="r1")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def mosquitto(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run a broker that remembers who subscribed, even when it is killed."""
    config = folder / "mosquitto.conf"
    keep = f"persistence true\npersistence_location {folder}/\nautosave_on_changes true\nautosave_interval 1\n"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nuser {getpass.getuser()}\n{keep}")
    with (folder / "mosquitto.log").open("ab") as log:
        process = subprocess.Popen([str(MOSQUITTO), "-c", str(config)], stdout=log, stderr=log)
        try:
            until(lambda: _answers(port))
            yield process
        finally:
            process.kill()
            process.wait(10)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def until(done: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Wait until something outside this process has happened."""
    never, waited = threading.Event(), 0.0
    while not done():
        never.wait(0.1)
        waited += 0.1
        assert waited < timeout_s, "it did not happen in time"


def alert_rows(database: Path) -> int:
    """Return how many alerts the store holds."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT count(*) FROM alerts").fetchone()[0])


def test_an_alert_survives_a_broker_that_dies_and_comes_back(tmp_path: Path) -> None:
    """What rang while the broker was dead arrives once it is back, in order; the service never stops for it."""
    port = free_port()
    (tmp_path / "lesson.toml").write_text(LESSON)
    (tmp_path / "edge.toml").write_text(SETTINGS.format(port=port, lesson=tmp_path / "lesson.toml"))
    database = tmp_path / "edge.db"
    command = [sys.executable, "-m", "edge", "run", "--config", "edge.toml"]
    subscriber = Subscriber(host="127.0.0.1", port=port, topics=TOPICS, client_id="a-tablet")
    with mosquitto(tmp_path, port):
        service = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
        subscriber.start()
        until(lambda: subscriber.summaries >= 1)
    try:
        until(lambda: alert_rows(database) == 1)
        with mosquitto(tmp_path, port):
            until(lambda: len(subscriber.alerts) == 2)
            _, err = service.communicate(timeout=60)
    finally:
        subscriber.stop()
        service.kill()
        service.wait(10)

    assert service.returncode == 0, err
    assert "Traceback" not in err
    raised, cleared = subscriber.alerts
    assert (raised.state, cleared.state) == ("raised", "cleared")
    assert raised.id == cleared.id
    assert subscriber.refused == 0
    assert alert_rows(database) == 2


def test_sigterm_ends_the_service_in_order(tmp_path: Path) -> None:
    """Told to stop, the service says offline, closes its lesson and exits with 0; the database is whole."""
    port = free_port()
    (tmp_path / "edge.toml").write_text(SETTINGS.format(port=port, lesson="demo"))
    subscriber = Subscriber(host="127.0.0.1", port=port, topics=TOPICS)
    with mosquitto(tmp_path, port):
        command = [sys.executable, "-m", "edge", "run", "--config", "edge.toml"]
        service = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
        try:
            subscriber.start()
            until(lambda: subscriber.summaries >= 2)
            service.send_signal(signal.SIGTERM)
            _, err = service.communicate(timeout=30)
        finally:
            subscriber.stop()
            service.kill()
            service.wait(10)

    assert service.returncode == 0, err
    with closing(sqlite3.connect(tmp_path / "edge.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert connection.execute("SELECT count(*) FROM lessons WHERE ended_us IS NOT NULL").fetchone()[0] == 1
