"""What all commands share: the application, how errors are told, progress, logging, signals."""

import logging
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

app = typer.Typer(
    name="edge",
    help="Class-level mood from cameras and microphones, worked out on the box in the room.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
OUT, ERR = Console(), Console(stderr=True)

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for programs, nothing else.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Log every step to standard error.")]


def log(*, verbose: bool) -> None:
    """Send the log to standard error."""
    level = logging.DEBUG if verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("edge").setLevel(level if verbose else logging.INFO)


@contextmanager
def stop_on_signal() -> Iterator[threading.Event]:
    """Set an event on the first SIGINT or SIGTERM; the second acts as usual."""
    stop = threading.Event()
    previous = {}

    def handle(number: int, _frame: object) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGINT, signal.SIGTERM):
        previous[number] = signal.signal(number, handle)
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def complain(error: object) -> None:
    """Tell an error in one line."""
    ERR.print(f"edge: {error}", style="red", highlight=False, soft_wrap=True, markup=False)


@contextmanager
def progress(name: str, total: float | None) -> Iterator[Callable[[float], None]]:
    """Show a bar on standard error, where a program that reads JSON does not see it."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=ERR, transient=True, disable=not ERR.is_terminal) as bar:
        task = bar.add_task(Path(name).name, total=total)
        yield lambda done: bar.update(task, completed=done)
