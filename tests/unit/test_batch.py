"""Many recordings: which lesson, several at a time, and going on after a kill."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.batch import Job, Part, Results, plan, run_all
from edge.errors import MediaError, SettingsError, SourceMissingError, StoreError
from edge.role import Role

STUDENTS, TEACHER = Role.STUDENTS, Role.TEACHER


def parts(*arguments: str, together: bool = False) -> list[list[tuple[str, Role, float]]]:
    """Return what a command line names, lesson by lesson."""
    jobs = plan(arguments, role=STUDENTS, together=together)
    return [[(part.path, part.role, part.offset_s) for part in job.parts] for job in jobs]


def test_a_recording_tells_its_role_and_its_offset() -> None:
    """`ROLE=PATH@OFFSET`, each part of it optional."""
    assert parts("a.mp4", "teacher=b.mp4", "teacher=c.wav@2.5", "simulated:demo", "d.mp4@-1") == [
        [("a.mp4", STUDENTS, 0.0)],
        [("b.mp4", TEACHER, 0.0)],
        [("c.wav", TEACHER, 2.5)],
        [("simulated:demo", STUDENTS, 0.0)],
        [("d.mp4", STUDENTS, -1.0)],
    ]


def test_files_of_one_lesson_stay_together() -> None:
    """Two cameras and a microphone are one lesson when they are said to be."""
    assert len(parts("a.mp4", "teacher=b.mp4", together=True)) == 1


def test_a_path_may_hold_the_signs_itself(tmp_path: Path) -> None:
    """An @ or an = in a file's name is part of the name."""
    path = tmp_path / "x=1@2.mp4"
    path.touch()

    assert parts(str(path)) == [[(str(path), STUDENTS, 0.0)]]


def test_folders_and_patterns_stand_for_their_recordings(tmp_path: Path) -> None:
    """In order of name, other files left out."""
    for name in ("b.mp4", "a.wav", "notes.txt"):
        (tmp_path / name).touch()
    both = [[(str(tmp_path / name), STUDENTS, 0.0)] for name in ("a.wav", "b.mp4")]

    assert parts(str(tmp_path)) == both
    assert parts(str(tmp_path / "*.mp4")) == both[1:]


def test_what_names_nothing_is_one_clear_line(tmp_path: Path) -> None:
    """An empty folder, a pattern that fits nothing, an offset that is none."""
    with pytest.raises(SourceMissingError, match="no recording in this folder"):
        parts(str(tmp_path))
    with pytest.raises(SourceMissingError, match="no file fits"):
        parts(str(tmp_path / "*.mp4"))
    with pytest.raises(SettingsError, match="'soon' is no offset in seconds"):
        parts("a.mp4@soon")


def test_files_of_one_name_in_two_folders_are_told_apart(tmp_path: Path) -> None:
    """Their results lie in different files."""
    jobs = plan(["x/a.mp4", "y/a.mp4", "z/b.mp4"], role=STUDENTS, together=False)
    results = Results(tmp_path)

    assert [job.name for job in jobs] == ["x/a.mp4", "y/a.mp4", "b.mp4"]
    assert len({results.path(job) for job in jobs}) == 3


def work(job: Job, tell: Callable[[float], None]) -> tuple[str, int]:
    """Stand for an analysis; lessons called bad fail."""
    tell(5.0)
    if job.name == "bad":
        raise MediaError("bad: damaged")
    tell(10.0)
    return job.name, os.getpid()


JOBS = [Job(name, (Part(name, STUDENTS),)) for name in ("one", "bad", "two")]


@pytest.mark.parametrize("processes", [1, 2])
def test_a_bad_lesson_stops_no_other(processes: int) -> None:
    """Results come in the order of the command line, the bad one with its line; progress adds up."""
    told: list[float] = []
    outcomes = list(run_all(JOBS, work, processes=processes, progress=told.append))

    assert [outcome.job.name for outcome in outcomes] == ["one", "bad", "two"]
    assert [outcome.error for outcome in outcomes] == [None, "bad: damaged", None]
    assert [outcome.result[0] for outcome in outcomes if outcome.result] == ["one", "two"]
    assert all(0 <= seconds <= 25 for seconds in told)
    in_here = [outcome.result[1] == os.getpid() for outcome in outcomes if outcome.result]
    assert all(in_here) == (processes == 1)


def test_a_result_is_known_again_until_its_input_changes(tmp_path: Path) -> None:
    """The same file and settings are not analysed twice; another file, other settings or half a result are."""
    recording = tmp_path / "a.mp4"
    recording.write_bytes(b"1")
    job = Job("a.mp4", (Part(str(recording), STUDENTS),))
    results = Results(tmp_path / "out")

    assert results.done(job, k=5) is None
    results.keep(job, {"duration_s": 3.0}, k=5)
    known = results.done(job, k=5)
    assert known is not None
    assert known["duration_s"] == 3.0
    assert results.done(job, k=3) is None
    recording.write_bytes(b"22")
    assert results.done(job, k=5) is None
    results.path(job).write_text(json.dumps({"inputs": job.fingerprint})[:-3])
    assert results.done(job, k=5) is None


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    """The line says what to do."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"can't be made .* name another folder"):
        Results(tmp_path / "file" / "out")
