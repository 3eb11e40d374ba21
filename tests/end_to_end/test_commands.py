"""The commands around the pipeline: settings, devices, doctor, help."""

import json
import shutil
from pathlib import Path

import pytest

from edge.store.store import Store
from tests.end_to_end.conftest import Edge


def test_init_writes_settings_that_only_lack_the_decision(edge: Edge, tmp_path: Path) -> None:
    """What `edge init` writes is refused for want of a privacy mode, and for nothing else."""
    assert edge("init", "edge.toml").code == 0

    result = edge("run", "--config", "edge.toml")

    assert result.code == 2
    assert len(result.err.strip().splitlines()) == 1
    assert "privacy.mode" in result.err
    assert "more" not in result.err
    assert not list(tmp_path.glob("*.db"))


def test_init_replaces_nothing(edge: Edge, tmp_path: Path) -> None:
    """A settings file that is there stays as it is."""
    (tmp_path / "edge.toml").write_text("mine")

    result = edge("init", "edge.toml")

    assert result.code == 2
    assert (tmp_path / "edge.toml").read_text() == "mine"


def test_a_wrong_key_is_named_with_its_path(edge: Edge, tmp_path: Path) -> None:
    """A misspelt key is one line with where it stands, and code 2."""
    (tmp_path / "edge.toml").write_text(
        '[privacy]\nmode = "observable"\n[[sources]]\nname = "a"\nkind = "camera"\nfpss = 10\n'
    )

    result = edge("run", "--config", "edge.toml")

    assert result.code == 2
    assert "sources.0.fpss" in result.err
    assert len(result.err.strip().splitlines()) == 1


def test_a_missing_model_is_one_line(edge: Edge, tmp_path: Path) -> None:
    """An installation that lost a model says which, at the start."""
    root = Path(__file__).resolve().parents[2]
    shutil.copytree(root / "edge", tmp_path / "edge", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(root / "models", tmp_path / "models")
    (tmp_path / "models" / "tflite" / "face_detector.tflite").unlink()

    result = edge("analyze", "simulated:demo", cwd=tmp_path)

    assert result.code == 1
    assert "face_detector.tflite" in result.err
    assert len(result.err.strip().splitlines()) == 1


def test_doctor_knows_every_part_and_which_package_brings_it(edge: Edge) -> None:
    """Each finding says what it is about; what is missing comes with a remedy; what is needed is there."""
    result = edge("doctor", "--json")

    findings = json.loads(result.out)
    names = " ".join(finding["name"] for finding in findings)
    assert result.code == 0, result.err
    for part in ("portaudio", "camera", "microphone", "model"):
        assert part in names
    assert all(finding["remedy"] for finding in findings if not finding["ok"])


def test_devices_lists_what_is_there_as_json(edge: Edge) -> None:
    """A machine without camera or sound card gives two empty lists and no error."""
    result = edge("devices", "--json")

    assert result.code == 0, result.err
    assert json.loads(result.out).keys() == {"cameras", "microphones"}


@pytest.mark.parametrize("command", ["run", "init", "demo", "analyze", "detect", "report", "devices", "doctor"])
def test_every_command_has_help_with_an_example(edge: Edge, command: str) -> None:
    """`--help` of each command shows how it is typed."""
    result = edge(command, "--help")

    assert result.code == 0
    assert f"edge {command}" in result.out
    assert "Example:" in result.out


def test_a_report_needs_a_database(edge: Edge, tmp_path: Path) -> None:
    """Without a database, or with an empty one, the report is one line and no page."""
    missing = edge("report")
    Store(tmp_path / "edge.db").close()
    empty = edge("report")

    for result in (missing, empty):
        assert result.code == 1
        assert "edge.db" in result.err
        assert len(result.err.strip().splitlines()) == 1
    assert not (tmp_path / "report.html").exists()


def test_a_report_is_a_page_and_json(edge: Edge, tmp_path: Path) -> None:
    """The last lesson becomes a page of its own, or JSON with the same title."""
    store = Store(tmp_path / "edge.db")
    store.begin_lesson(title="Fractions")
    store.end_lesson()
    store.close()

    page, data = edge("report", "--out", "page.html"), edge("report", "--json")

    assert page.code == 0, page.err
    assert "Fractions" in (tmp_path / "page.html").read_text("utf-8")
    assert "Fractions" in data.out
    json.loads(data.out)
