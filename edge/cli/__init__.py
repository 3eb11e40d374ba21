"""The command `edge`."""

import sys
from typing import Annotated

import typer

from edge import __version__
from edge.cli import alerts, box, evaluate, privacy, recordings, service
from edge.cli.app import app, complain
from edge.errors import EdgeError, SettingsError

__all__ = ["alerts", "app", "box", "evaluate", "main", "privacy", "recordings", "service"]


def main() -> None:
    """Run a command; every foreseen error is one line and exit code 1, or 2 for usage and settings."""
    try:
        app()
    except EdgeError as error:
        complain(error)
        sys.exit(2 if isinstance(error, SettingsError) else 1)
    except KeyboardInterrupt:
        sys.exit(130)


@app.callback(invoke_without_command=True)
def _root(*, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit
