"""A confusion matrix as a picture."""

from html import escape

from edge.evaluation.score import Score

_CELL, _LEFT, _TOP = 64, 110, 96


def confusion_svg(score: Score, title: str) -> str:
    """Return an SVG of the confusion matrix: rows are what was true, columns what was found, shares of each row."""
    count = len(score.labels)
    width, height = _LEFT + count * _CELL + 24, _TOP + count * _CELL + 56
    said = f"found: accuracy {score.accuracy:.1%}, mean recall {score.mean_recall:.1%}, n = {score.n}"
    size = f'width="{width}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="13" fill="#1b1f24">',
        f'<rect {size} fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="26" font-size="16" font-weight="600">{escape(title)}</text>',
        f'<text x="{_LEFT}" y="48">{said}</text>',
    ]
    rows = score.confusion.sum(axis=1)
    for k, name in enumerate(score.labels):
        middle = _CELL * k + _CELL / 2
        parts.append(f'<text x="{_LEFT + middle}" y="{_TOP - 10}" text-anchor="middle">{escape(name)}</text>')
        parts.append(f'<text x="{_LEFT - 10}" y="{_TOP + middle + 4}" text-anchor="end">{escape(name)}</text>')
        for j in range(count):
            share = score.confusion[k, j] / rows[k] if rows[k] else 0.0
            x, y = _LEFT + j * _CELL, _TOP + k * _CELL
            # Dark ink on light cells, light ink on dark ones: readable in grey as well.
            ink = "#ffffff" if share > 0.55 else "#1b1f24"  # noqa: PLR2004
            parts.append(
                f'<rect x="{x + 1}" y="{y + 1}" width="{_CELL - 2}" height="{_CELL - 2}" rx="3" '
                f'fill="#0b5394" fill-opacity="{0.06 + 0.94 * share:.3f}"/>'
                f'<text x="{x + _CELL / 2}" y="{y + _CELL / 2}" text-anchor="middle" fill="{ink}">{share:.0%}</text>'
                f'<text x="{x + _CELL / 2}" y="{y + _CELL / 2 + 16}" text-anchor="middle" font-size="11" fill="{ink}" '
                f'fill-opacity="0.8">{score.confusion[k, j]}</text>'
            )
    parts.append(f'<text x="{_LEFT}" y="{height - 18}">rows: what was true; shares of a row, counts below</text></svg>')
    return "\n".join(parts)
