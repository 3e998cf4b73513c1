"""Runs with and without their figures, which take half of a short run."""

import contextlib

import pytest


@contextlib.contextmanager
def left_out():
    """Draw no figures, and no maps for them: each process compiles UMAP anew, for 20 seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("autogenome_tf.plots.draw", lambda *_: None)
        patch.setattr("autogenome_tf.plots.placed", lambda *_, **__: iter(()))
        patch.setattr("autogenome_tf.models._maps._umap", lambda points, _: points[:, :2])
        yield


@contextlib.contextmanager
def drawn():
    """Draw figures, in a file that leaves them out."""
    from autogenome_tf.plots import _figures

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("autogenome_tf.plots.draw", _figures.draw)
        patch.setattr("autogenome_tf.plots.placed", _figures.placed)
        yield
