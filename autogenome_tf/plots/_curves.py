"""Curves of classes, each against all others."""

from typing import Any

import numpy as np

from autogenome_tf.plots import _paper

MOST_COLORS = len(_paper.PALETTE)


def draw(
    curves: dict[str, tuple[np.ndarray, np.ndarray, float]], x: str, y: str, **style: Any
) -> tuple[_paper.Drawing, Any]:
    """Draw a curve a class on a square, with the area below each.

    Args:
        curves: Dict of class to (x, y, area), x and y arrays between 0 and 1.
        x: Label of the axis.
        y: Label of the axis.
        **style: Of the lines.

    Returns:
        A `matplotlib.figure.Figure` and its axes. Where classes are more than colours, those of
        the smallest areas have one each, and the others are grey.
    """
    worst = sorted(curves, key=lambda name: curves[name][2])
    colored = worst if len(worst) <= MOST_COLORS else worst[: MOST_COLORS - 1]
    others = [name for name in worst if name not in colored]
    names = [f"{_paper.label(name)} ({curves[name][2]:.3f})" for name in colored]
    if others:
        names.append(f"{len(others)} others ({curves[others[0]][2]:.3f} or more)")
    width = 5.2 + _paper.LETTER * max(len(name) for name in ["class (area)", *names])
    figure, ((panel,),) = _paper.blank(width, 4.2)
    lines = []
    for name, color in zip(colored, _paper.PALETTE, strict=False):
        lines += panel.plot(*curves[name][:2], color=color, linewidth=1.5, **style)
    grey = {"color": _paper.GREY, "linewidth": 0.8, "alpha": 0.6, "zorder": 1}
    for name in others:
        lines += panel.plot(*curves[name][:2], **grey, **style)
    panel.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel=x, ylabel=y, aspect="equal")
    # By hand, since names that begin with an underscore are left out otherwise.
    place = {"loc": "outside right upper", "frameon": False, "alignment": "left"}
    figure.legend(lines[: len(names)], names, title="class (area)", **place)
    return figure, panel
