"""`edge privacy`: pages to print, and proof that no raw media leaves the box."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from edge.cli.app import OUT, JsonFlag, Verbose, app, log
from edge.errors import StoreError

privacy = typer.Typer(
    help="Print the notice and the impact assessment, and prove that no raw media leaves the box.", no_args_is_help=True
)
app.add_typer(privacy, name="privacy")

Config = Annotated[Path, typer.Option("--config", "-c", help="The service's settings.")]
Output = Annotated[Path, typer.Option("--output", "-o", help="Where to write the page.")]


@privacy.command()
def notice(config: Config, *, output: Output = Path("notice.html")) -> None:
    """Write a notice for the door and slips of consent, to be printed.

    Example: edge privacy notice --config edge.toml
    """
    from edge.privacy.documents import notice as page

    log(verbose=False)
    _write(output, page(**_known(config)))


@privacy.command()
def dpia(config: Config, *, output: Output = Path("dpia.html")) -> None:
    """Write a data protection impact assessment (GDPR, article 35) with what the settings know filled in.

    Example: edge privacy dpia --config edge.toml
    """
    from edge.privacy.documents import dpia as page

    log(verbose=False)
    _write(output, page(**_known(config)))


@privacy.command()
def verify(
    *,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Settings to run with; a simulated class if not given.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="How long to run the service.", min=10)] = 60.0,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Run the service under a trace of files and sockets, and prove that no picture and no sound left it.

    Example: edge privacy verify --seconds 60
    """
    from edge.verify import report_json, report_text
    from edge.verify import verify as trace

    log(verbose=verbose)
    found = trace(config, seconds)
    if as_json:
        typer.echo(json.dumps(report_json(found)))
    else:
        OUT.print(report_text(found), highlight=False, markup=False, soft_wrap=True)
    if not found.proved:
        raise typer.Exit(1)


def _known(config: Path) -> dict[str, Any]:
    """Return what the settings know for a page."""
    from edge.clock import utc_now
    from edge.config import read_settings

    settings = read_settings(config)
    return {
        "policy": settings.privacy.policy(),
        "retention_days": settings.privacy.retention_days,
        "site": settings.mqtt.site,
        "room": settings.mqtt.room,
        "sources": [(source.kind.value, source.role) for source in settings.sources],
        "rules": [rule.name for rule in settings.rules],
        "mqtt_host": settings.mqtt.host,
        "printed_on": utc_now().date(),
    }


def _write(path: Path, page: str) -> None:
    try:
        path.write_text(page, "utf-8")
    except OSError as error:
        raise StoreError(f"{path}: can't be written ({error.strerror})") from error
    OUT.print(f"{path} written; print it from a browser", highlight=False, soft_wrap=True, markup=False)
