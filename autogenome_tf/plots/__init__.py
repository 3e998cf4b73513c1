"""Figures: frames and arrays in, or a run in their place; a matplotlib `Figure` out.

A file of this folder with a class that derives from `Figure` is a member of an open set: the stage
draws it, the report shows it, and it is a function of this module under the file's name. What such
a file needs is here: `Figure`, `blank`, `label`, `marks`, `PALETTE`, `GREY`.

>>> import autogenome_tf as ag
>>> ag.plots.confusion_matrix("runs/quickstart")  # doctest: +SKIP
"""

from typing import Any

from autogenome_tf.plots._base import PLACES, Figure
from autogenome_tf.plots._figures import draw, figures, member, names, placed
from autogenome_tf.plots._paper import GREY, PALETTE, blank, label, marks
from autogenome_tf.plots._save import save
from autogenome_tf.plots._source import attributions, unseen
from autogenome_tf.plots._svg import svg

__all__ = [
    "GREY",
    "PALETTE",
    "PLACES",
    "Figure",
    "attributions",
    "blank",
    "draw",
    "figures",
    "label",
    "marks",
    "placed",
    "save",
    "svg",
    "unseen",
]

for _name in names():
    member(_name)
__all__ += list(names())


def __getattr__(name: str) -> Any:
    """Return the function of a figure whose file came after this module was imported."""
    if name in names():
        member(name)
        return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
