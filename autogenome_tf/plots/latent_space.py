"""Maps of samples in two dimensions."""

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from autogenome_tf.plots import _paper
from autogenome_tf.plots._base import Figure
from autogenome_tf.plots._paper import Drawing
from autogenome_tf.run import Run

NOISE, NO_LABEL = "noise", "no label"
SIDE = 3.4  # inches of a panel
MARGIN = 0.4  # inches of a panel's axis label and the space around both
MOST_LINES = 17  # of a column of the legend, which is then as high as a panel
GAP = 0.1  # inches between the last panel and its legend
ALPHA = 0.7


class LatentSpace(Figure):
    """Draw the maps of a run's latent space."""

    stage = "evaluate"
    files = ("maps.tsv", "clusters.tsv")
    place = "latent"
    order = 1
    caption = (
        "Maps of all samples. Look for labels that form groups of their own, and for clusters that "
        "match labels. In UMAP, distances between groups mean little; clusters were found in the "
        "latent space, not in the maps."
    )

    def read(self, run: Run) -> dict[str, Any]:
        """Return the maps of maps.tsv, with labels and clusters."""
        clusters = run.read_table("clusters.tsv")
        table = run.read_table("maps.tsv").drop(columns=["sample", "part"])
        titles = dict.fromkeys(name.rpartition(" ")[0] for name in table)
        maps = {title: table[[f"{title} 1", f"{title} 2"]].to_numpy() for title in titles}
        known = clusters["target"]
        labels = None if known.isna().all() else known.fillna(NO_LABEL).astype(str).to_numpy()
        return {"maps": maps, "labels": labels, "clusters": clusters["hdbscan"].to_numpy()}

    def draw(
        self,
        maps: dict[str, np.ndarray],
        *,
        labels: Sequence | None = None,
        clusters: Sequence | None = None,
    ) -> Drawing:
        """Draw maps side by side, coloured by label and, in a second row, by cluster.

        Args:
            maps: Dict from a title, such as ``"PCA"``, to the coordinates of all samples, (rows,
                2); or a run, and nothing else.
            labels: Name of each sample's class, (rows,), or None.
            clusters: Name or number of each sample's cluster, (rows,), or None; -1 is noise.

        Returns:
            A `matplotlib.figure.Figure` with a column of panels a map and a row of panels for each
            of `labels` and `clusters` that is given, or one row in one colour. Axes bear no
            numbers, as a map may be turned, mirrored and stretched without another meaning.
        """
        maps = {title: np.asarray(points, float) for title, points in maps.items()}
        groups = _groups(labels, clusters)
        width, height = (SIDE + MARGIN) * len(maps), (SIDE + MARGIN) * max(1, len(groups))
        figure, axes = _paper.blank(width, height, max(1, len(groups)), len(maps))
        for row, (title, names) in zip(axes, groups.items() or [(None, None)], strict=True):
            looks = _paper.marks([None]) if names is None else _looks(names)
            for panel, (name, points) in zip(row, maps.items(), strict=True):
                _draw_map(panel, name, points, names, looks)
            if names is not None:
                _draw_legend(row[-1], title, looks)
        figure.set_size_inches(width + _width_of_legends(axes[:, -1]), height)
        return figure


def _groups(labels, clusters):
    """Return the names of all samples, (rows,), by what they are called, of what is given."""
    groups = {}
    if labels is not None:
        groups["label"] = np.array([_paper.label(label) for label in labels])
    if clusters is not None:
        noise = (-1, "-1")
        groups["cluster"] = np.array([NOISE if c in noise else str(c) for c in clusters])
    return groups


def _looks(names):
    """Give each name its look, in natural order, what has none grey and last."""
    ordered = sorted(set(names.tolist()), key=_natural)
    looks = _paper.marks(name for name in ordered if name not in (NOISE, NO_LABEL))
    grey = {"color": _paper.GREY, "marker": "o"}
    return looks | {name: grey for name in (NOISE, NO_LABEL) if name in ordered}


def _natural(name):
    """Return a key that sorts numbers by size, before words, and "b2" before "b10"."""
    if re.fullmatch(r"[-+]?\d+(\.\d+)?", name):
        return (0, float(name), name)
    return (1, [int(p) if p.isdecimal() else p for p in re.split(r"(\d+)", name)], name)


def _draw_map(panel, title, points, names, looks):
    size = np.clip(300 / math.sqrt(max(1, len(points))), 1.5, 36)
    style = {"s": size, "alpha": ALPHA, "linewidths": 0, "rasterized": True}
    shown = {name: points if name is None else points[names == name] for name in looks}
    # Grey first, then from the largest group to the smallest: no group is hidden by a larger one.
    for name in sorted(shown, key=lambda n: (n not in (NOISE, NO_LABEL), -len(shown[n]))):
        panel.scatter(*shown[name].T, label=name, **style, **looks[name])
    panel.set(xticks=[], yticks=[], xlabel=f"{title} 1", ylabel=f"{title} 2")


def _draw_legend(panel, title, looks):
    """Draw the legend of a row of panels at the right of its last one."""
    handles = [
        Line2D([], [], linestyle="", markersize=6, markeredgewidth=0, label=name, **look)
        for name, look in looks.items()
    ]
    place = {"loc": "upper left", "bbox_to_anchor": (1 + GAP / SIDE, 1), "borderaxespad": 0}
    style = {"frameon": False, "fontsize": "small", "alignment": "left", "handletextpad": 0.2}
    columns = max(1, math.ceil(len(looks) / MOST_LINES))
    panel.legend(handles=handles, title=title, ncols=columns, **place, **style)


def _width_of_legends(panels):
    """Return inches that the widest legend takes."""
    legends = [legend for panel in panels if (legend := panel.get_legend())]
    widths = [legend.get_window_extent().width / legend.figure.dpi for legend in legends]
    return GAP + max(widths) if widths else 0
