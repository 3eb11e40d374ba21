"""What `edge analyze` does with its lessons: several at a time, shown as they are done."""

import hashlib
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import typer

from edge.analysis import Analysis
from edge.batch import SIMULATED, Job, Results, run_all
from edge.cli.app import OUT, complain, progress
from edge.commands import analysis_line
from edge.config import Settings
from edge.errors import EdgeError
from edge.recorded import FileOptions, analyse_job, recording_length_s
from edge.terminal import analysis_text


def analyse_all(
    lessons: Sequence[Job],
    *,
    settings: Settings | None,
    consent: str | None,
    processes: int,
    out: Path | None,
    as_json: bool,
) -> bool:
    """Analyse lessons and show each; return whether all of them were whole."""
    results = None if out is None else Results(out)
    # How many threads is no matter of the result.
    decided = repr(FileOptions.of(settings, agreed=consent is not None, threads=1))
    asked = {"consent": consent, "options": hashlib.sha256(decided.encode()).hexdigest()}
    known = {job.name: results.done(job, **asked) if results else None for job in lessons}
    waiting = [job for job in lessons if known[job.name] is None]
    options = FileOptions.of(
        settings, agreed=consent is not None, threads=1 if processes > 1 and len(waiting) > 1 else 2
    )
    whole, outcomes = True, None
    if settings is None and consent is None and any(not job.name.startswith(SIMULATED) for job in lessons):
        complain("no emotion is read without --config (the privacy decision) or --consent (everybody agreed)")
    with progress("recordings", _length_s(waiting)) as advance:
        outcomes = run_all(waiting, partial(analyse_job, options=options), processes=processes, progress=advance)
        for job in lessons:
            earlier = known[job.name]
            if earlier is not None:
                _show(earlier, None, as_json=as_json)
                continue
            outcome = next(outcomes)
            if outcome.error is not None:
                whole = False
                complain(outcome.error)
                continue
            analysis: Analysis = outcome.result
            line = analysis_line(job.parts[0].path if len(job.parts) == 1 else job.name, analysis)
            if consent is not None:
                line["consent"] = consent
            if results is not None:
                results.keep(job, line, **asked)
            _show(line, analysis, as_json=as_json)
            if analysis.damage is not None:
                whole = False
                complain(analysis.damage)
    return whole


def _show(line: dict[str, Any], analysis: Analysis | None, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({key: value for key, value in line.items() if key not in {"inputs", "settings"}}))
    elif analysis is None:
        OUT.print(f"{line['source']}: done before", highlight=False, markup=False)
    else:
        OUT.print(analysis_text(line, analysis))


def _length_s(jobs: Sequence[Job]) -> float | None:
    """Return the seconds of media in all lessons; ``None`` where one does not say."""
    total = 0.0
    for job in jobs:
        for part in job.parts[:1]:
            try:
                length = recording_length_s(part.path)
            except EdgeError:
                # Told when it is its turn.
                continue
            if length is None:
                return None
            total += length
    return total
