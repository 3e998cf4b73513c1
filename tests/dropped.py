"""A file dropped into an open set of the package for as long as a block runs."""

import contextlib
import importlib
import sys
from pathlib import Path

import autogenome_tf

ROOT = Path(autogenome_tf.__file__).parent


@contextlib.contextmanager
def dropped(folder, name, text):
    """Put a file into a folder of the package; take it and what it left behind out again.

    Args:
        folder: Place of the open set in the package, such as ``"search/methods"``.
        name: Name of the member.
        text: Source of its file.
    """
    file = ROOT / folder / f"{name}.py"
    assert not file.exists()
    file.write_text(text, encoding="utf-8")
    importlib.invalidate_caches()
    try:
        yield
    finally:
        file.unlink()
        sys.modules.pop(".".join(("autogenome_tf", *Path(folder).parts, name)), None)
        importlib.invalidate_caches()
