"""`edge analyze` and `edge detect` on real media, on made ones, and on broken ones."""

import json
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from edge.observation import Emotion
from tests.end_to_end.conftest import Edge

EMOTIONS = {emotion.value for emotion in Emotion}
COMPOSED = sorted(EMOTIONS)


def write_clip(path: Path, *, seconds: float, picture: bool = True, sound: bool = True) -> Path:
    """Encode a grey picture and a tone."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=10) if picture else None
        audio = container.add_stream("aac", rate=16_000) if sound else None
        if video is not None:
            video.width, video.height, video.pix_fmt = 160, 120, "yuv420p"
        if audio is not None:
            audio.layout = "mono"
        if video is not None:
            for _ in range(int(seconds * 10)):
                frame = av.VideoFrame.from_ndarray(np.full((120, 160, 3), 90, np.uint8), format="rgb24")
                container.mux(video.encode(frame))
            container.mux(video.encode())
        if audio is not None:
            tone = 0.2 * np.sin(np.arange(int(seconds * 16_000)) * 2 * np.pi * 440 / 16_000)
            for start in range(0, len(tone) - 1023, 1024):
                block = tone[start : start + 1024].astype(np.float32)[None]
                samples = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
                samples.sample_rate, samples.pts = 16_000, start
                container.mux(audio.encode(samples))
            container.mux(audio.encode())
    return path


def check_line(line: dict[str, Any]) -> None:
    """Hold one line against what the command promises."""
    assert {"source", "duration_s", "realtime_factor", "roles", "alerts", "coverage"} <= line.keys()
    assert line["roles"].keys() == {"students", "teacher"}
    for role in line["roles"].values():
        assert role.keys() == {"face", "voice", "fused"}
        for modality in role.values():
            assert modality.keys() == {"observations", "shares", "negative_share"}
            if modality["shares"] is None:
                assert modality["negative_share"] is None
            else:
                assert modality["shares"].keys() == EMOTIONS
                assert sum(modality["shares"].values()) == pytest.approx(1, abs=1e-4)
                negative = sum(modality["shares"][e] for e in ("anger", "disgust", "fear", "sadness"))
                assert modality["negative_share"] == pytest.approx(negative, abs=1e-4)


def test_every_real_clip_gives_one_json_line_and_nothing_else(edge: Edge, media: Path) -> None:
    """Nine clips are nine lines on standard output, each with its shares and its length."""
    clips = sorted(media.glob("*.mp4"))

    result = edge("analyze", "--consent", "made for tests", *clips, "--json")

    assert result.code == 0, result.err
    lines = [json.loads(text) for text in result.out.splitlines()]
    assert [line["source"] for line in lines] == [str(clip) for clip in clips]
    for line in lines:
        check_line(line)
        assert 3 < line["duration_s"] < 60


def test_composed_clips_show_and_sound_as_they_were_meant(edge: Edge, media: Path) -> None:
    """Of the seven clips of one emotion each, most are read as it, and each has a face and a voice."""
    clips = [media / f"composed_{emotion}.mp4" for emotion in COMPOSED]

    lines = [
        json.loads(text) for text in edge("analyze", "--consent", "made for tests", *clips, "--json").out.splitlines()
    ]

    right = 0
    for emotion, line in zip(COMPOSED, lines, strict=True):
        students = line["roles"]["students"]
        assert students["face"]["observations"] >= 3, emotion
        assert students["voice"]["observations"] >= 1, emotion
        shares = students["fused"]["shares"]
        right += max(shares, key=lambda name: shares[name]) == emotion
    assert right >= 4


def test_several_faces_are_all_counted(edge: Edge, media: Path) -> None:
    """The clip of six to ten people has that many faces in view."""
    line = json.loads(edge("analyze", "--consent", "made for tests", media / "several_faces.mp4", "--json").out)

    assert 5 <= line["coverage"]["students"]["people"] <= 11


def test_a_file_without_sound_has_no_voice_evidence(edge: Edge, tmp_path: Path) -> None:
    """No audio track means none heard: null, and neither silence nor neutral."""
    clip = write_clip(tmp_path / "mute.mp4", seconds=4, sound=False)

    result = edge("analyze", "--consent", "made for tests", clip, "--json")

    assert result.code == 0, result.err
    line = json.loads(result.out)
    check_line(line)
    assert line["roles"]["students"]["voice"] == {"observations": 0, "shares": None, "negative_share": None}
    assert line["coverage"]["students"]["speech_ratio"] is None


def test_a_file_without_picture_has_no_face_evidence(edge: Edge, tmp_path: Path) -> None:
    """No video track means nobody was looked at."""
    clip = write_clip(tmp_path / "tone.m4a", seconds=4.5, picture=False)

    result = edge("analyze", "--consent", "made for tests", clip, "--json")

    assert result.code == 0, result.err
    line = json.loads(result.out)
    assert line["coverage"]["students"]["analysed_frames"] == 0
    assert line["coverage"]["students"]["sound_windows"] == 2
    assert line["roles"]["students"]["face"] == {"observations": 0, "shares": None, "negative_share": None}


def test_the_teachers_recording_is_the_teachers(edge: Edge, tmp_path: Path) -> None:
    """`--role teacher` counts everything there and nothing with the students."""
    clip = write_clip(tmp_path / "clip.mp4", seconds=4.5)

    line = json.loads(edge("analyze", "--consent", "made for tests", clip, "--json", "--role", "teacher").out)

    assert line["coverage"]["teacher"]["sound_windows"] == 2
    assert line["coverage"]["students"]["sound_windows"] == 0


@pytest.mark.parametrize(
    ("name", "content"),
    [("empty.mp4", b""), ("noise.mp4", bytes(range(256)) * 40), ("text.wav", b"this is no sound\n")],
)
def test_what_is_no_recording_is_one_line_and_code_one(edge: Edge, tmp_path: Path, name: str, content: bytes) -> None:
    """A file that holds no media is named in one line, without a traceback, and nothing is printed for programs."""
    (tmp_path / name).write_bytes(content)

    result = edge("analyze", "--consent", "made for tests", name, "--json")

    assert result.code == 1
    assert result.out == ""
    assert len(result.err.strip().splitlines()) == 1
    assert name in result.err


def test_a_truncated_file_is_named_and_the_others_are_analysed(edge: Edge, tmp_path: Path) -> None:
    """One bad file among several costs its own line only."""
    good = write_clip(tmp_path / "good.mp4", seconds=4)
    bad = tmp_path / "cut.mp4"
    bad.write_bytes(good.read_bytes()[: good.stat().st_size // 3])

    result = edge("analyze", "--consent", "made for tests", bad, good, "--json")

    assert result.code == 1
    assert "cut.mp4" in result.err
    assert "Traceback" not in result.err
    assert json.loads(result.out.splitlines()[-1])["source"] == str(good)


def test_a_missing_file_says_so(edge: Edge) -> None:
    """A name that leads nowhere is one line and code 1."""
    result = edge("analyze", "--consent", "made for tests", "nowhere.mp4")

    assert result.code == 1
    assert len(result.err.strip().splitlines()) == 1
    assert "nowhere.mp4" in result.err


def test_detect_gives_one_line_an_image_in_a_folder(edge: Edge, tmp_path: Path) -> None:
    """A folder of images, one of them a single pixel and one broken, gives a line each but for the broken one."""
    folder = tmp_path / "photos"
    folder.mkdir()
    cv2.imwrite(str(folder / "a.png"), np.full((90, 120, 3), 128, np.uint8))
    cv2.imwrite(str(folder / "b.png"), np.zeros((1, 1, 3), np.uint8))
    cv2.imwrite(str(folder / "c.png"), np.full((31, 47), 200, np.uint8))
    (folder / "d.jpg").write_bytes(b"no image")

    result = edge("detect", folder, "--json")

    lines = [json.loads(text) for text in result.out.splitlines()]
    assert [Path(line["image"]).name for line in lines] == ["a.png", "b.png", "c.png"]
    assert all(line.keys() == {"image", "faces"} for line in lines)
    assert result.code == 1
    assert "d.jpg" in result.err


def test_detect_finds_the_one_face(edge: Edge, media: Path, tmp_path: Path) -> None:
    """A frame of the clip of one person has one sure face, with its box in pixels inside the picture."""
    with av.open(str(media / "one_face.mp4")) as container:
        frame = next(container.decode(video=0)).to_ndarray(format="bgr24")
    cv2.imwrite(str(tmp_path / "one.png"), frame)

    line = json.loads(edge("detect", tmp_path / "one.png", "--json").out)

    sure = [face for face in line["faces"] if face["confidence"] > 0.5]
    assert len(sure) == 1
    left, top, right, bottom = sure[0]["box_xyxy"]
    assert 0 <= left < right <= frame.shape[1]
    assert 0 <= top < bottom <= frame.shape[0]
