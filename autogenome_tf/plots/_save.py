"""Figures on disk: a picture for the screen and a drawing for print."""

import os
import pathlib

from matplotlib.figure import Figure

from autogenome_tf.core.files import replacing

DPI = 150
MARGIN = 0.1  # inches


def save(figure: Figure, path_without_suffix: str | os.PathLike) -> list[pathlib.Path]:
    """Write a figure as .png and .pdf; neither is ever seen half written.

    Args:
        figure: A `matplotlib.figure.Figure`.
        path_without_suffix: Where to, such as ``"runs/a/plots/learning_curves"``; folders are made.

    Returns:
        The two paths.
    """
    path, layout = pathlib.Path(path_without_suffix), figure.get_layout_engine()
    # Parts are placed once for both formats. Nothing is cut off, not even names in letters wider
    # than expected.
    figure.draw_without_rendering()
    figure.set_layout_engine(None)
    box = figure.get_tightbbox().padded(MARGIN)
    # Without the time of day, the same figure gives the same bytes.
    kinds = {"png": {}, "pdf": {"CreationDate": None}}
    written = [_write(figure, path, box, kind, metadata) for kind, metadata in kinds.items()]
    figure.set_layout_engine(layout)
    return written


def _write(figure, path, box, kind, metadata):
    final = path.with_name(f"{path.name}.{kind}")  # not with_suffix: a name may hold a dot
    options = {"dpi": DPI, "bbox_inches": box, "metadata": metadata}
    with replacing(final) as temporary:
        figure.savefig(temporary, format=kind, **options)
    return final
