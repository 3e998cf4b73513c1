"""Figures on disk: a picture for the screen and a drawing for print."""

import contextlib
import os
import pathlib
from collections.abc import Iterator

from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

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
    path = pathlib.Path(path_without_suffix)
    # Without the time of day, the same figure gives the same bytes.
    kinds = {"png": {}, "pdf": {"CreationDate": None}}
    with laid_out(figure) as box:
        return [_write(figure, path, box, kind, metadata) for kind, metadata in kinds.items()]


@contextlib.contextmanager
def laid_out(figure: Figure) -> Iterator[Bbox]:
    """Place the parts of a figure once for all formats that are written in the block.

    Args:
        figure: A `matplotlib.figure.Figure`.

    Yields:
        The part of the page to write, in inches. Nothing is cut off, not even names in letters
        wider than expected.
    """
    layout = figure.get_layout_engine()
    if layout is not None:
        layout.execute(figure)
    figure.set_layout_engine(None)
    yield figure.get_tightbbox().padded(MARGIN)
    figure.set_layout_engine(layout)


def _write(figure, path, box, kind, metadata):
    final = path.with_name(f"{path.name}.{kind}")  # not with_suffix: a name may hold a dot
    options = {"dpi": DPI, "bbox_inches": box, "metadata": metadata}
    with replacing(final) as temporary:
        figure.savefig(temporary, format=kind, **options)
    return final
