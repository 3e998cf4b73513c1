"""The report of a run: report.html needs no network, no script and no other file."""

import functools
import importlib.resources
from pathlib import Path

import jinja2

from autogenome_tf.core.files import on_a_line
from autogenome_tf.report import (
    _genes,
    _latent,
    _repeat,
    _rows,
    _scores,
    _search,
    _served,
    _sets,
    _summary,
)
from autogenome_tf.report._page import kind_of
from autogenome_tf.report._warnings import about_scores
from autogenome_tf.run import Run

__all__ = ["about_scores", "report"]

# In the order of the page; each makes a `_page.Section` of a `Run`, or None.
SECTIONS = (
    _summary.section,
    _rows.section,
    _search.section,
    _scores.section,
    _latent.section,
    _genes.section,
    _sets.section,
    _served.section,
    _repeat.section,
)


def report(run: Run) -> Path:
    """Write report.html from what stages have left so far.

    Args:
        run: A run whose train stage is done.

    Returns:
        Path of the page.
    """
    sections = [section for make in SECTIONS if (section := make(run)) is not None]
    name = run.config().name
    run.write_text("report.html", _template().render(name=name, sections=sections) + "\n")
    return run.path("report.html")


@functools.cache
def _template():
    text = importlib.resources.files(__name__).joinpath("page.html.jinja").read_text("utf-8")
    page = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    page.filters |= {"kind": kind_of, "name": on_a_line}
    return page.from_string(text)
