"""What the documents say to type or to write is held against the program."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from edge.cli import app
from edge.config import Settings, check_settings

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "models").rglob("*.md")])


def blocks(language: str) -> Iterator[tuple[str, str]]:
    """Return each code block of a language with the name of its document."""
    for document in DOCUMENTS:
        for block in re.findall(rf"```{language}\n(.*?)```", document.read_text("utf-8"), flags=re.DOTALL):
            yield str(document.relative_to(ROOT)), block


def typed_commands() -> list[tuple[str, str]]:
    """Return each `edge …` line of the console blocks."""
    return [
        (name, line.partition("#")[0].strip())
        for name, block in blocks("console")
        for line in block.splitlines()
        if line.startswith("edge ")
    ]


@pytest.mark.parametrize(("document", "line"), typed_commands())
def test_typed_commands_exist_with_their_options(document: str, line: str) -> None:
    """Every `edge` command in a document is one the program understands."""
    command, arguments = typer.main.get_command(app), shlex.split(line)[1:]
    while isinstance(command, typer.core.TyperGroup):
        name, *arguments = arguments
        assert name in command.commands, document
        command = command.commands[name]

    assert command.make_context(line, arguments).params


@pytest.mark.parametrize(("document", "block"), list(blocks("toml")))
def test_settings_in_documents_are_valid(document: str, block: str) -> None:
    """Every settings file shown in a document can be used as it is."""
    assert check_settings(tomllib.loads(block), where=document).sources


def test_programs_of_the_repository_exist() -> None:
    """Every script that a document runs from the project's folder is there."""
    for name, block in blocks("console"):
        for script in re.findall(r"(?:^|python )((?:\./|tools/)[\w./-]+)", block, flags=re.MULTILINE):
            assert (ROOT / script).is_file(), f"{name}: {script}"


def test_every_setting_is_documented() -> None:
    """Each key of the settings file stands in docs/settings.md."""
    text = (ROOT / "docs" / "settings.md").read_text("utf-8")

    for section, field in Settings.model_fields.items():
        assert f"`{section}" in text or f"[{section}]" in text or f"[[{section}]]" in text
        for model in (field.annotation, *getattr(field.annotation, "__args__", ())):
            for key in getattr(model, "model_fields", {}):
                assert f"`{key}`" in text, f"{section}.{key}"


def test_links_between_documents_lead_somewhere() -> None:
    """A relative link in a document names a file that is there."""
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#]+)", document.read_text("utf-8")):
            if "://" not in target:
                assert (document.parent / target).exists(), f"{document.name}: {target}"
