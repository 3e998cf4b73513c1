"""Figures as parts of a page."""

import io
import re

import matplotlib
from matplotlib.figure import Figure

from autogenome_tf.plots._save import laid_out

# Metadata that is left out: the time of day would make each drawing different.
SILENT = dict.fromkeys(("Date", "Creator", "Format", "Type"))
POINT = 96 / 72  # CSS pixels
# Words between tags may look like anything.
TAG = r"<[^>]*>"


def svg(figure: Figure, name: str) -> str:
    """Write a figure as an `<svg>` element for a page that holds several.

    Args:
        figure: A `matplotlib.figure.Figure`.
        name: Beginning of ids; different for each figure of a page.

    Returns:
        The element, as text; words in it are text too and can be searched. Its background is that
        of the page, its width a CSS variable ``--width``.
    """
    text = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        with laid_out(figure) as box:
            options = {"bbox_inches": box, "transparent": True, "metadata": SILENT}
            figure.savefig(text, format="svg", **options)
    drawn = text.getvalue()
    drawn = drawn[drawn.index("<svg") :]
    # Matplotlib's own ids are not the same on another day.
    tags = "".join(re.findall(TAG, drawn))
    used = dict.fromkeys(re.findall(r'(?:href="#|url\(#)([^")]+)', tags))
    ids = {known: f"{name}-{number}" for number, known in enumerate(used)}
    drawn = re.sub(TAG, lambda tag: _renamed(tag[0], ids), drawn)
    (points, *_) = re.findall(r'width="([\d.]+)pt"', drawn)
    width = POINT * float(points)
    return re.sub(
        r'width="[\d.]+pt" height="[\d.]+pt"|height="[\d.]+pt" width="[\d.]+pt"',
        f'style="--width: {width:.0f}px"', drawn, count=1,
    )  # fmt: skip


def _renamed(tag, ids):
    """Return a tag with other ids; those that nothing refers to are left out."""
    tag = re.sub(r' id="([^"]*)"', lambda at: f' id="{ids[at[1]]}"' if at[1] in ids else "", tag)
    return re.sub(r'(href="#|url\(#)([^")]+)', lambda at: at[1] + ids[at[2]], tag)
