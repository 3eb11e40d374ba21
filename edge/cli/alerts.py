"""`edge alerts`: what would have rung."""

import json
from pathlib import Path
from typing import Annotated

import typer

from edge.cli.app import OUT, JsonFlag, app, log

alerts = typer.Typer(help="Try alert rules over lessons that are over.", no_args_is_help=True)
app.add_typer(alerts, name="alerts")


@alerts.command()
def replay(
    lesson: Annotated[str | None, typer.Argument(help="A lesson's id; the last one if not given.")] = None,
    *,
    rules: Annotated[
        Path | None, typer.Option(help="TOML file with [[rules]]; the shipped rules if not given.")
    ] = None,
    state: Annotated[Path, typer.Option(help="The database of the service.")] = Path("edge.db"),
    as_json: JsonFlag = False,
) -> None:
    """Show what would have rung in a stored lesson under other rules.

    Example: edge alerts replay --rules rules.toml --state edge.db
    """
    from edge.alerts.replay import replay as run
    from edge.commands import alert_line, stored_lesson
    from edge.rulebook import default_rulebook, read_rulebook

    log(verbose=False)
    book = default_rulebook() if rules is None else read_rulebook(rules)
    chosen, summaries, _ = stored_lesson(state, lesson)
    rang = run(summaries, book.as_rules(), alerts_per_hour=book.alerts_per_hour)
    if as_json:
        typer.echo(json.dumps({"lesson": chosen.id, "alerts": [alert_line(alert) for alert in rang]}))
        return
    OUT.print(f"{chosen.title}: {len(rang)} events", highlight=False, markup=False)
    for alert in rang:
        minutes, seconds = divmod(round(alert.at_s), 60)
        line = f"{minutes:02d}:{seconds:02d} {alert.state:<8} {alert.rule}: {alert.reason}"
        OUT.print(line, highlight=False, markup=False, soft_wrap=True)
