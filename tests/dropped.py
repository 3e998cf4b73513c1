"""A file dropped into an open set of the package for as long as a block runs."""

import contextlib
import fcntl
import importlib.util
import sys
import tempfile
from pathlib import Path

from autogenome_tf.core.open_sets import PACKAGE, ROOT


@contextlib.contextmanager
def folders_alone():
    """Keep other processes of the tests from dropping a file while the block runs."""
    name = "-".join((*ROOT.parts[1:], "open_sets.lock"))
    with open(Path(tempfile.gettempdir(), name), "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def dropped(folder, name, text):
    """Put a file into a folder of the package; take it and what it left behind out again.

    Args:
        folder: Place of the open set in the package, such as ``"search/methods"``.
        name: Name of the member.
        text: Source of its file.

    Yields:
        Path of the file.
    """
    file, package = ROOT / folder / f"{name}.py", ".".join((PACKAGE, *Path(folder).parts))
    with folders_alone():
        assert not file.exists()
        # This process may know the file that another one had dropped.
        _forget(package, name)
        file.write_text(text, encoding="utf-8")
        try:
            yield file
        finally:
            file.unlink()
            Path(importlib.util.cache_from_source(file)).unlink(missing_ok=True)
            _forget(package, name)


def _forget(package, name):
    """Let Python look for a module of the package anew."""
    sys.modules.pop(f"{package}.{name}", None)
    if package in sys.modules:
        vars(sys.modules[package]).pop(name, None)
    importlib.invalidate_caches()
