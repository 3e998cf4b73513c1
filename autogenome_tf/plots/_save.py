"""Figures on disk: a picture for the screen and a drawing for print."""

import os
import pathlib

from matplotlib.figure import Figure

from autogenome_tf.core.files import replacing

DPI = 150


def save(figure: Figure, path_without_suffix: str | os.PathLike) -> list[pathlib.Path]:
    """Write a figure as .png and .pdf; neither is ever seen half written.

    Args:
        figure: A `matplotlib.figure.Figure`.
        path_without_suffix: Where to, such as ``"runs/a/plots/learning_curves"``; folders are made.

    Returns:
        The two paths.
    """
    path = pathlib.Path(path_without_suffix)
    # Without the time of day, the same figure gives the same bytes.
    return [_write(figure, path, "png", {}), _write(figure, path, "pdf", {"CreationDate": None})]


def _write(figure, path, kind, metadata):
    final = path.with_name(f"{path.name}.{kind}")  # not with_suffix: a name may hold a dot
    # Tight: nothing is cut off, not even names in letters wider than expected.
    options = {"dpi": DPI, "bbox_inches": "tight", "metadata": metadata}
    with replacing(final) as temporary:
        figure.savefig(temporary, format=kind, **options)
    return final
