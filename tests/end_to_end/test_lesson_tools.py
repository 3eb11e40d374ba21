"""The commands around lessons that are over, recordings of a lesson, and labelled data."""

import json
from pathlib import Path

import numpy as np
import pytest

from edge.store.store import Store
from tests.builders import summary
from tests.end_to_end.conftest import Edge

SETTINGS = """
[privacy]
mode = "observable"
[mqtt]
room = "lab-1"
[[sources]]
name = "front"
kind = "camera"
"""


def test_rules_are_replayed_over_a_stored_lesson(edge: Edge, tmp_path: Path) -> None:
    """Other rules ring at other times over the same lesson, and the lesson's own alerts stay as they were."""
    store = Store(tmp_path / "edge.db")
    store.begin_lesson(title="Algebra", started_at=summary(2.0, 0.1).opened_at)
    for n in range(1, 61):
        store.accept(summary(2.0 * n, 0.1 if n < 20 else 0.5))
    store.close()
    (tmp_path / "rules.toml").write_text('[[rules]]\nname = "early"\nraise_at = 0.3\nclear_at = 0.2\nhold_s = 4\n')

    result = edge("alerts", "replay", "--rules", "rules.toml", "--state", "edge.db", "--json")

    assert result.code == 0, result.err
    rang = json.loads(result.out)["alerts"]
    assert [(alert["rule"], alert["state"]) for alert in rang] == [("early", "raised"), ("early", "cleared")]
    assert rang[0]["at_s"] == 42.0


@pytest.mark.parametrize("page", ["notice", "dpia"])
def test_privacy_pages_are_written_from_the_settings(edge: Edge, tmp_path: Path, page: str) -> None:
    """Each page stands alone and names the room."""
    (tmp_path / "edge.toml").write_text(SETTINGS)
    result = edge("privacy", page, "--config", "edge.toml", "--output", "page.html")

    assert result.code == 0, result.err
    html = (tmp_path / "page.html").read_text("utf-8")
    assert "lab-1" in html
    assert "<script" not in html
    assert "http" not in html.partition("</style>")[0]


def test_two_recordings_of_one_lesson_share_its_time(edge: Edge) -> None:
    """Students and teacher of a drawn lesson come out as one lesson with both roles."""
    result = edge("analyze", "simulated:demo", "teacher=simulated:demo", "--together", "--json")

    assert result.code == 0, result.err
    (line,) = (json.loads(text) for text in result.out.splitlines())
    assert line["roles"]["students"]["face"]["shares"] is not None
    assert line["roles"]["teacher"]["face"]["shares"] is not None


def test_what_is_done_is_not_done_again(edge: Edge, tmp_path: Path) -> None:
    """A second run over the same folder takes the results from the first, and says the same."""
    first = edge("analyze", "simulated:demo", "--out", "results", "--json")
    kept = tmp_path / "results" / "simulated_demo.json"
    stamp = kept.stat().st_mtime_ns
    second = edge("analyze", "simulated:demo", "--out", "results", "--json")

    assert json.loads(first.out) == json.loads(second.out)
    assert kept.stat().st_mtime_ns == stamp


def test_real_people_are_not_read_without_a_decision(edge: Edge, media: Path) -> None:
    """Without settings and consent no emotion is read, and a line says why; with consent the text is in the result."""
    clip = media / "composed_sadness.mp4"
    undecided = edge("analyze", clip, "--json")
    agreed = edge("analyze", clip, "--consent", "A. Person, 2026-02-01", "--json")

    assert json.loads(undecided.out)["roles"]["students"]["fused"]["shares"] is None
    assert "--consent" in undecided.err
    line = json.loads(agreed.out)
    assert line["consent"] == "A. Person, 2026-02-01"
    assert line["roles"]["students"]["face"]["shares"] is not None
    assert edge("analyze", clip, "--consent", " ").code == 2


def test_labelled_faces_are_judged(edge: Edge, tmp_path: Path) -> None:
    """One JSON object with the fixed keys, and a picture beside it."""
    images = np.random.default_rng(1).integers(0, 256, (7, 48, 48), np.uint8)
    np.savez(tmp_path / "faces.npz", images=images, labels=np.arange(7))
    result = edge("evaluate", "kdef", "faces.npz", "--json", "--picture", "matrix.svg")

    assert result.code == 0, result.err
    line = json.loads(result.out)
    assert {"n", "accuracy", "mean_recall", "per_class", "confusion", "labels"} <= line.keys()
    assert line["n"] == 7
    assert (tmp_path / "matrix.svg").read_text("utf-8").startswith("<svg")
    assert edge("evaluate", "ckplus", "nowhere.npz").code == 1
