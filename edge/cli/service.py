"""`edge run`, `edge init` and `edge demo`."""

from pathlib import Path
from typing import Annotated

import typer

from edge.cli.app import OUT, Verbose, app, log, stop_on_signal
from edge.errors import SettingsError


@app.command()
def run(
    config: Annotated[Path, typer.Option("--config", "-c", help="Settings file; `edge init` writes one.")],
    *,
    verbose: Verbose = False,
) -> None:
    """Run the service until it is told to stop.

    Example: edge run --config edge.toml
    """
    log(verbose=verbose)
    from edge.config import read_settings
    from edge.service import Service

    settings = read_settings(config)
    with stop_on_signal() as stop:
        Service(settings).run(stop)


@app.command()
def init(
    path: Annotated[Path, typer.Argument(help="Where to write it.")] = Path("edge.toml"),
) -> None:
    """Write a settings file to begin with; it never replaces one.

    Example: edge init edge.toml
    """
    from edge.config import EXAMPLE

    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(EXAMPLE)
    except FileExistsError:
        raise SettingsError(f"{path}: exists already; name another file") from None
    except OSError as error:
        raise SettingsError(f"{path}: can't be written ({error.strerror})") from error
    OUT.print(f"{path} written; choose a privacy mode in it, then: edge run --config {path}", highlight=False)


@app.command()
def demo(
    *,
    seconds: Annotated[float | None, typer.Option(help="Stop after this long.", min=1)] = None,
    port: Annotated[int, typer.Option(help="MQTT port; 0 takes a free one.", min=0, max=65535)] = 1883,
    ws_port: Annotated[int, typer.Option(help="MQTT port for WebSocket; 0 takes a free one.", min=0, max=65535)] = 9001,
    verbose: Verbose = False,
) -> None:
    """Show a simulated class: drawn faces and made-up speech through the real pipeline, to a broker of its own.

    Example: edge demo --seconds 60
    """
    log(verbose=verbose)
    from edge.demo import run_demo

    with stop_on_signal() as stop:
        run_demo(console=OUT, stop=stop, seconds=seconds, port=port, ws_port=ws_port)
