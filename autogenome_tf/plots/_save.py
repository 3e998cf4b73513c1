"""A figure on disk: a picture for the screen and a drawing for print."""

import os
import pathlib

DPI = 150


def save(figure, path_without_suffix):
    """Write a figure as .png and .pdf; neither is ever seen half written.

    Args:
        figure: A `matplotlib.figure.Figure`.
        path_without_suffix: Where to, such as ``"runs/a/plots/learning_curves"``; folders are made.

    Returns:
        The two paths.
    """
    path = pathlib.Path(path_without_suffix)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Without the time of day, the same figure gives the same bytes.
    return [_write(figure, path, "png", {}), _write(figure, path, "pdf", {"CreationDate": None})]


def _write(figure, path, kind, metadata):
    final = path.with_name(f"{path.name}.{kind}")  # not with_suffix: a name may hold a dot
    temporary = path.with_name(f".{final.name}.{os.getpid()}")
    try:
        # Tight: nothing is cut off, not even names in letters wider than expected.
        options = {"dpi": DPI, "bbox_inches": "tight", "metadata": metadata}
        figure.savefig(temporary, format=kind, **options)
        temporary.replace(final)
    finally:
        temporary.unlink(missing_ok=True)
    return final
