"""The simulated classroom as a source: order, pace, repeatability and what its pictures and sound hold."""

import threading
from itertools import islice, pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
import webrtcvad

from edge.capture.lesson import LessonScript, read_lesson
from edge.capture.simulated import SimulatedClassroom
from edge.capture.simulated_faces import LIMIT, FaceModel
from edge.capture.simulated_scene import Scene, Showing
from edge.capture.simulated_voice import LessonSound
from edge.errors import SourceMissingError
from edge.media import SAMPLE_RATE, AudioBlock, Frame
from edge.observation import NEGATIVE, Emotion
from edge.role import Role

YUNET = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "models" / "yunet_n_dynamic.onnx"
SHORT = """
seconds = 3
fade_s = 1.0
[[phase]]
at_s = 0
students = { neutral = 1.0 }
class_voice = { emotion = "neutral", phrase_s = 1.0, pause_s = 0.5 }
[[phase]]
at_s = 1.5
students = { anger = 1.0 }
"""


class MovedClock:
    """A clock that only waiting, or the test, moves."""

    def __init__(self) -> None:
        self.ns = 5_000_000_000

    def now_ns(self) -> int:
        """Return its time."""
        return self.ns

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """Jump ahead by *seconds*."""
        self.ns += round(seconds * 1e9)
        return stop.is_set()


@pytest.fixture
def short(tmp_path: Path) -> LessonScript:
    """Three seconds: calm and speaking, then angry and silent."""
    path = tmp_path / "short.toml"
    path.write_text(SHORT, encoding="utf-8")
    return read_lesson(path)


def small(lesson: LessonScript, **options: object) -> SimulatedClassroom:
    """Make a cheap classroom."""
    given: dict[str, object] = {"people": 2, "size": (320, 180), **options}
    return SimulatedClassroom(lesson=lesson, **given)  # type: ignore[arg-type]


def test_it_delivers_the_whole_lesson_in_order_of_time(short: LessonScript) -> None:
    """Frames and blocks come when a device would deliver them, and sound has no gap and no overlap."""
    items = list(small(short, epoch_ns=7).items())
    frames = [item for item in items if isinstance(item, Frame)]
    blocks = [item for item in items if isinstance(item, AudioBlock)]
    assert len(frames) == 30
    assert [frame.sequence for frame in frames] == list(range(30))
    assert [frame.captured_ns for frame in frames] == [7 + n * 100_000_000 for n in range(30)]
    assert blocks[0].start_ns == 7
    assert blocks[-1].end_ns == 3_000_000_007
    assert all(a.end_ns == b.start_ns for a, b in pairwise(blocks))
    delivered = [item.captured_ns if isinstance(item, Frame) else item.end_ns for item in items]
    assert delivered == sorted(delivered)
    assert {(item.source, item.role) for item in items} == {("simulated", Role.STUDENTS)}


def test_frames_and_blocks_have_the_shape_they_promise(short: LessonScript) -> None:
    """Pictures are RGB bytes of the asked size, sound is float32 in [-1, 1]."""
    items = list(islice(small(short).items(), 6))
    for item in items:
        if isinstance(item, Frame):
            assert item.pixels.shape == (180, 320, 3)
            assert item.pixels.dtype == np.uint8
        else:
            assert item.samples.dtype == np.float32
            assert float(np.abs(item.samples).max()) <= 1


def test_one_seed_always_gives_the_same_lesson(short: LessonScript) -> None:
    """Two classrooms of one seed agree in every pixel and sample, another seed has other people and other sound."""
    one, same, other = (small(short, seed=seed) for seed in (4, 4, 5))
    assert np.array_equal(one.picture(1.2), same.picture(1.2))
    assert not np.array_equal(one.picture(1.2), other.picture(1.2))
    sounds = [
        np.concatenate([i.samples for i in room.items() if isinstance(i, AudioBlock)]) for room in (one, same, other)
    ]
    assert np.array_equal(sounds[0], sounds[1])
    assert not np.array_equal(sounds[0], sounds[2])


def test_real_time_is_kept_by_the_clock(short: LessonScript) -> None:
    """With a clock every item comes at its own time, stamped with the clock's time base."""
    clock = MovedClock()
    for item in small(short, clock=clock).items():
        due = item.captured_ns if isinstance(item, Frame) else item.end_ns
        assert clock.ns == due
    assert clock.ns == 8_000_000_000


def test_a_slow_consumer_misses_frames_but_no_sound(short: LessonScript) -> None:
    """After a second's stall the late frames are left out and counted, and every block still comes."""
    clock = MovedClock()
    frames: list[Frame] = []
    blocks: list[AudioBlock] = []
    for item in small(short, clock=clock).items():
        if isinstance(item, Frame):
            frames.append(item)
            if len(frames) == 5:
                clock.ns += 1_000_000_000
        else:
            blocks.append(item)
    gaps = [b.sequence - a.sequence for a, b in pairwise(frames)]
    assert max(gaps) in (9, 10)
    assert sorted(gaps)[:-1] == [1] * (len(gaps) - 1)
    assert len(blocks) == 30
    assert frames[-1].sequence == 29


def test_close_ends_it_from_another_thread(short: LessonScript) -> None:
    """A closed classroom delivers nothing more, however often it is closed or asked."""
    room = small(short)
    items = room.items()
    next(items)
    closer = threading.Thread(target=room.close)
    closer.start()
    closer.join()
    room.close()
    assert list(items) == []
    assert list(room.items()) == []


def test_a_looping_lesson_starts_again(short: LessonScript, tmp_path: Path) -> None:
    """Past its end a loop shows the first phase's faces again, with time that goes on."""
    path = tmp_path / "loop.toml"
    path.write_text("loop = true\n" + SHORT, encoding="utf-8")
    room = small(read_lesson(path), fps=2.0)
    assert room.duration_s is None
    assert small(short).duration_s == 3
    assert room.shown(2.9) == (Emotion.ANGER, Emotion.ANGER)
    assert room.shown(4.0) == (Emotion.NEUTRAL, Emotion.NEUTRAL)
    times = [item.captured_ns for item in islice(room.items(), 60) if isinstance(item, Frame)]
    assert times == [n * 500_000_000 for n in range(len(times))]
    assert times[-1] > 3_000_000_000


def test_the_pupils_show_what_the_truth_says() -> None:
    """Away from the changes the pupils' negative share is the script's to less than one pupil."""
    lesson = read_lesson("standard")
    room = SimulatedClassroom(lesson=lesson, size=(320, 180))
    for at in (10, 29.9, 35, 59, 65, 100):
        shown = room.shown(at)
        share = sum(emotion in NEGATIVE for emotion in shown) / len(shown)
        assert abs(share - lesson.truth(at).negative_share) < 1 / 12


def test_faces_change_smoothly_and_keep_moving() -> None:
    """From one frame to the next a face never stands still, and even while its emotion changes never jumps."""
    scene = Scene(people=1, size=(640, 360))
    left, top, right, bottom = scene.faces_xyxy[0].astype(int)

    def face(at_s: float, done: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        showing = Showing(Emotion.NEUTRAL, Emotion.SURPRISE, done)
        return scene.draw(at_s, [showing])[top:bottom, left:right].astype(np.float32)

    steps = [float(np.abs(face(n / 10, n / 7) - face((n + 1) / 10, (n + 1) / 7)).mean()) for n in range(7)]
    whole = float(np.abs(face(0, 0) - face(0, 1)).mean())
    assert all(0 < step < whole / 2 for step in steps)
    assert not np.array_equal(face(1.0, 1.0), face(1.1, 1.0))


def test_pupils_fade_between_their_emotions(short: LessonScript) -> None:
    """While the mood changes there are pictures that are neither the old one nor the new one."""
    room = small(short, size=(640, 360))
    left, top, right, bottom = Scene(people=2, size=(640, 360)).faces_xyxy[0].astype(int)
    faces = [room.picture(at / 20).astype(np.float32)[top:bottom, left:right] for at in range(28, 54)]
    steps = [float(np.abs(b - a).mean()) for a, b in pairwise(faces)]
    assert max(steps) < float(np.abs(faces[-1] - faces[0]).mean()) / 2


def test_another_seed_seats_other_people() -> None:
    """What is where faces are differs by far more than grain and movement would explain."""
    one, other = (Scene(people=1, size=(640, 360), seed=seed) for seed in (1, 2))
    left, top, right, bottom = one.faces_xyxy[0].astype(int)
    calm = [Showing(Emotion.NEUTRAL, Emotion.NEUTRAL, 1.0)]
    a, b, later = (s.draw(t, calm)[top:bottom, left:right].astype(float) for s, t in ((one, 0), (other, 0), (one, 2)))
    assert np.abs(a - b).mean() > 2 * np.abs(a - later).mean()


def test_the_teacher_is_one_person_with_a_voice_of_their_own() -> None:
    """The role of the teacher shows one face with the scripted emotion and hears the teacher, not the class."""
    room = SimulatedClassroom(lesson=read_lesson("standard"), role=Role.TEACHER, size=(320, 180))
    assert room.shown(40) == (Emotion.ANGER,)
    quiet = LessonSound(read_lesson("standard"), Role.STUDENTS).samples(80 * SAMPLE_RATE, SAMPLE_RATE)
    reading = LessonSound(read_lesson("standard"), Role.TEACHER).samples(80 * SAMPLE_RATE, SAMPLE_RATE)
    assert float(np.sqrt(np.mean(reading**2))) > 10 * float(np.sqrt(np.mean(quiet**2)))


@pytest.mark.parametrize(
    ("people", "size", "fps"), [(0, (320, 180), 10), (19, (320, 180), 10), (2, (20, 20), 10), (2, (320, 180), 0)]
)
def test_nonsense_is_refused(short: LessonScript, people: int, size: tuple[int, int], fps: float) -> None:
    """People, size and rate outside their ranges are errors of the caller."""
    with pytest.raises(ValueError, match="must be"):
        SimulatedClassroom(lesson=short, people=people, size=size, fps=fps)


@pytest.mark.parametrize("people", [1, 3, 7, 12, 18])
def test_faces_are_apart_and_of_the_promised_size(people: int) -> None:
    """Faces are 40 to 90 pixels high, lie in the picture, and none covers another."""
    boxes = Scene(people=people).faces_xyxy
    heights = boxes[:, 3] - boxes[:, 1]
    assert len(boxes) == people
    assert ((heights >= 40) & (heights <= 90)).all()
    assert (boxes >= 0).all()
    assert (boxes[:, 2] <= 1280).all()
    assert (boxes[:, 3] <= 720).all()
    for index, a in enumerate(boxes):
        for b in boxes[index + 1 :]:
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def test_a_face_detector_finds_the_class() -> None:
    """YuNet finds at least 11 of 12 faces with every emotion, and nothing else."""
    if not YUNET.exists():
        pytest.skip(f"YuNet's weights are not at {YUNET}")
    detector = cv2.FaceDetectorYN.create(str(YUNET), "", (1280, 720), 0.6, 0.4)
    scene = Scene(people=12, seed=3)
    for emotion in (Emotion.NEUTRAL, Emotion.ANGER, Emotion.SURPRISE):
        picture = scene.draw(1.0, [Showing(emotion, emotion, 1.0)] * 12)
        found = detector.detect(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1]
        assert found is not None
        assert 11 <= len(found) <= 12


@pytest.mark.parametrize("content", [None, b"nonsense", b"PK\x03\x04 cut off"])
def test_a_damaged_face_model_is_told_in_one_line(tmp_path: Path, content: bytes | None) -> None:
    """A missing or broken file of faces is a missing source, named with what to do."""
    path = tmp_path / "faces.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceMissingError, match=r"faces\.npz: no face model .*install") as caught:
        FaceModel(path)
    assert "\n" not in str(caught.value)


def test_invented_people_stay_near_the_mean() -> None:
    """No coefficient leaves the limit, so nobody is more unusual than most real people are."""
    model, rng = FaceModel(), np.random.default_rng(0)
    people = np.stack([model.invent(rng) for _ in range(200)])
    assert people.shape == (200, model.modes)
    assert float(np.abs(people).max()) <= LIMIT
    assert float(people.std()) < 0.8


def speech_share(samples: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> float:
    """Return the share of 30 ms pieces that WebRTC's detector calls speech."""
    detector = webrtcvad.Vad(2)
    pcm = (samples * 32767).astype("<i2")
    pieces = [pcm[at : at + 480].tobytes() for at in range(0, len(pcm) - 479, 480)]
    return float(np.mean([detector.is_speech(piece, SAMPLE_RATE) for piece in pieces]))


@pytest.mark.parametrize("role", list(Role))
def test_speech_is_heard_as_speech_and_silence_is_not(role: Role) -> None:
    """A voice activity detector agrees with the script on phrases, and hears nobody where nobody speaks."""
    lesson = read_lesson("standard")
    sound = LessonSound(lesson, role)
    phrase_s = 2.0 if role is Role.STUDENTS else 3.0
    assert speech_share(sound.samples(0, round(phrase_s * SAMPLE_RATE))) > 0.9
    silent = LessonSound(read_lesson("demo"), role).samples(60 * SAMPLE_RATE, 14 * SAMPLE_RATE)
    assert speech_share(silent) < 0.05


def test_the_class_that_falls_silent_is_silent() -> None:
    """From 01:10 of the standard lesson only the room's noise is left, at about -60 dBFS."""
    silent = LessonSound(read_lesson("standard"), Role.STUDENTS).samples(70 * SAMPLE_RATE, 50 * SAMPLE_RATE)
    assert 10 * np.log10(np.mean(silent**2)) == pytest.approx(-60, abs=1)
    assert speech_share(silent) < 0.05


def test_loudness_and_pitch_are_the_scripted_ones() -> None:
    """A phrase has its level in dBFS and most of its cycles have its pitch."""
    lesson = read_lesson("standard")
    for at, phase in ((30.0, lesson.phases[1]), (60.0, lesson.phases[2])):
        voice = phase.voice(Role.STUDENTS)
        assert voice is not None
        spoken = LessonSound(lesson, Role.STUDENTS).samples(
            round(at * SAMPLE_RATE), round(voice.phrase_s * SAMPLE_RATE)
        )
        assert 10 * np.log10(np.mean(spoken**2)) == pytest.approx(voice.level_dbfs, abs=0.5)
        spectra = np.abs(np.fft.rfft(spoken[: len(spoken) // 1024 * 1024].reshape(-1, 1024) * np.hanning(1024), 8192))
        correlation = np.fft.irfft(spectra**2)[:, : SAMPLE_RATE // 80]
        lags = SAMPLE_RATE // 600 + correlation[:, SAMPLE_RATE // 600 :].argmax(axis=1)
        assert float(np.median(SAMPLE_RATE / lags)) == pytest.approx(voice.pitch_hz, rel=0.15)


def test_sound_is_the_same_however_it_is_cut() -> None:
    """Blocks of any length join to the same sound, over phases and over the end of a loop."""
    sound = LessonSound(read_lesson("demo"), Role.STUDENTS)
    start, count = 73 * SAMPLE_RATE, 4 * SAMPLE_RATE
    whole = sound.samples(start, count)
    parts = [sound.samples(start + at, min(777, count - at)) for at in range(0, count, 777)]
    assert np.array_equal(np.concatenate(parts), whole)
