"""Labelled faces in their publishers' layouts."""

from pathlib import Path

import numpy as np
import pytest

from edge.errors import MediaError, SourceMissingError
from edge.evaluation.clips import clip_shares, find_clips
from edge.evaluation.faces import read_archive, read_ckplus, read_fer2013

HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"


def archive(path: Path, side: int = 96) -> Path:
    """Write three faces."""
    images = np.random.default_rng(1).integers(0, 256, (3, side, side), np.uint8)
    np.savez(path, images=images, labels=np.array([0, 3, 7]))
    return path


@pytest.mark.parametrize("side", [48, 96])
def test_an_archive_of_any_side_is_read_at_48_pixels(tmp_path: Path, side: int) -> None:
    """Larger crops are shrunk; labels stay, contempt included."""
    faces = read_archive(archive(tmp_path / "a.npz", side))

    assert faces.images.shape == (3, 48, 48)
    assert faces.labels.tolist() == [0, 3, 7]
    assert read_ckplus(tmp_path / "a.npz").labels.tolist() == [0, 3, 7]


def test_what_is_no_archive_is_one_clear_line(tmp_path: Path) -> None:
    """Missing, garbage, or without the arrays."""
    with pytest.raises(SourceMissingError, match="no such file"):
        read_archive(tmp_path / "none.npz")
    garbage = tmp_path / "b.npz"
    garbage.write_bytes(b"garbage")
    with pytest.raises(MediaError, match="not an archive of faces"):
        read_archive(garbage)
    np.savez(tmp_path / "c.npz", pictures=np.zeros(3))
    with pytest.raises(MediaError, match="not an archive of faces"):
        read_archive(tmp_path / "c.npz")
    np.savez(tmp_path / "d.npz", images=np.zeros((2, 48, 48)), labels=np.zeros(2))
    with pytest.raises(MediaError, match="images must be uint8"):
        read_archive(tmp_path / "d.npz")


def fer(folder: Path, *, votes: bool = True) -> Path:
    """Write FER2013's table with three faces, two of them for the public test."""
    pixels = " ".join(["7"] * 48 * 48)
    rows = [f"{emotion},{pixels},{usage}" for emotion, usage in ((0, "Training"), (3, "PublicTest"), (6, "PublicTest"))]
    (folder / "fer2013.csv").write_text("\n".join(["emotion,pixels,Usage", *rows]))
    if votes:
        lines = ["Training,a.png,0,0,0,0,10,0,0,0,0,0", "PublicTest,b.png,1,9,0,0,0,0,0,0,0,0"]
        lines.append("PublicTest,c.png,5,0,0,5,0,0,0,0,0,0")
        (folder / "fer2013new.csv").write_text("\n".join([HEADER, *lines]))
    return folder


def test_the_majority_is_the_single_best_vote(tmp_path: Path) -> None:
    """Happiness by nine votes of ten; a tie of two is no majority; other parts of the table are left out."""
    faces, majority = read_fer2013(fer(tmp_path))

    assert faces.labels.tolist() == [3, 6]
    assert majority is not None
    assert majority.tolist() == [3, -1]


def test_without_votes_there_is_no_majority(tmp_path: Path) -> None:
    """The own labels alone can be judged as well."""
    faces, majority = read_fer2013(fer(tmp_path, votes=False) / "fer2013.csv")

    assert len(faces) == 2
    assert majority is None


def test_a_part_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    """A wrong usage names the file and the part."""
    with pytest.raises(MediaError, match="no row of usage 'Private'"):
        read_fer2013(fer(tmp_path), "Private")


def test_a_table_of_another_kind_is_one_clear_line(tmp_path: Path) -> None:
    """Columns that are missing are named."""
    (tmp_path / "fer2013.csv").write_text("a,b\n1,2\n")
    with pytest.raises(MediaError, match="need the columns emotion, pixels, Usage"):
        read_fer2013(tmp_path)


def test_one_bad_clip_does_not_stop_the_rest(tmp_path: Path) -> None:
    """A clip that can't be read keeps its row, with what was wrong in place of shares."""

    def read(path: Path) -> tuple[None, None]:
        raise MediaError(f"{path.name}: damaged")

    (tmp_path / "a.mp4").touch()
    (tmp_path / "b.txt").touch()

    assert [path.name for path in find_clips(tmp_path)] == ["a.mp4"]
    assert clip_shares(tmp_path / "a.mp4", read).problem == "a.mp4: damaged"
    with pytest.raises(SourceMissingError, match="no clip here"):
        find_clips(tmp_path / "nowhere")
