"""The exception tree."""

import inspect

import pytest

from edge import errors
from edge.errors import DeviceLostError, EdgeError, MediaError, SettingsError, SourceError, SourceMissingError


def test_everything_raised_on_purpose_is_an_edge_error() -> None:
    """Who catches EdgeError catches all of them."""
    classes = [c for _, c in inspect.getmembers(errors, inspect.isclass) if c.__module__ == errors.__name__]

    assert len(classes) == 9
    assert all(issubclass(c, EdgeError) for c in classes)


def test_the_tree_in_the_docstring_names_every_class() -> None:
    """The drawing is the tree, no class is missing from it."""
    drawn = errors.__doc__ or ""

    for name, _ in inspect.getmembers(errors, inspect.isclass):
        assert name in drawn


@pytest.mark.parametrize("kind", [SourceMissingError, DeviceLostError, MediaError])
def test_what_goes_wrong_with_a_source_is_a_source_error(kind: type[Exception]) -> None:
    """A channel that catches SourceError catches every way in which a source fails."""
    assert issubclass(kind, SourceError)


def test_a_settings_error_leads_with_its_key() -> None:
    """The reader sees first where to look, and a program can ask for it."""
    error = SettingsError("must be at least 1", key="mqtt.port")

    assert str(error) == "mqtt.port: must be at least 1"
    assert error.key == "mqtt.port"


def test_a_settings_error_may_mean_the_whole_file() -> None:
    """Without a key the text stands alone."""
    error = SettingsError("edge.toml: no such file")

    assert str(error) == "edge.toml: no such file"
    assert error.key == ""
