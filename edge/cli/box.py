"""`edge devices` and `edge doctor`."""

import json
from dataclasses import asdict

import typer

from edge.cli.app import OUT, JsonFlag, app, log


@app.command()
def devices(*, as_json: JsonFlag = False) -> None:
    """List cameras and microphones.

    Example: edge devices
    """
    log(verbose=False)
    from edge.capture.devices import list_cameras, list_microphones

    cameras, microphones = list_cameras(), list_microphones()
    if as_json:
        typer.echo(
            json.dumps({"cameras": [asdict(c) for c in cameras], "microphones": [asdict(m) for m in microphones]})
        )
        return
    for what, found in (("camera", cameras), ("microphone", microphones)):
        if not found:
            OUT.print(f"no {what}; `edge doctor` says what may be missing", highlight=False)
        for device in found:
            OUT.print(f"{what}  {device}", highlight=False, soft_wrap=True, markup=False)


@app.command()
def doctor(*, as_json: JsonFlag = False) -> None:
    """Say what works here, what is missing, and which package brings it.

    Example: edge doctor
    """
    log(verbose=False)
    from edge.capture.devices import diagnose
    from edge.doctor import examine_models
    from edge.terminal import findings_text

    models = examine_models()
    findings = models + diagnose()
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings]))
    else:
        OUT.print(findings_text(findings), soft_wrap=True)
    # Nothing works without the models; the rest is needed only by those who use it.
    if not all(model.ok for model in models):
        raise typer.Exit(1)
