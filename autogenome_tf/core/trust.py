"""Checks of a run folder from somebody else: no links out of it, no code to run.

Archives are read without pickle, and Keras itself loads models in its safe mode; this is the rest.
"""

import json
import os
import zipfile
from pathlib import Path

from autogenome_tf.core.errors import InputError, some

# Layers that bring code or read files of their own; no family is made of them.
FOREIGN = {
    "Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "StringLookup",
    "IntegerLookup", "TextVectorization",
}  # fmt: skip


def check_links(folder: str | Path) -> None:
    """Refuse a folder with links that lead out of it: what is written would land elsewhere.

    Args:
        folder: Path of a run folder.

    Raises:
        InputError: Naming the links.
    """
    inside = Path(folder).resolve()
    links = [
        path
        for above, folders, files in os.walk(folder)
        for path in (Path(above, name) for name in (*folders, *files))
        if path.is_symlink() and not path.resolve().is_relative_to(inside)
    ]
    if links:
        names = some([str(link.relative_to(folder)) for link in links])
        raise InputError(f"{folder}: symbolic links out of the folder: {names}; expected none.")


def check_model(path: str | Path) -> None:
    """Refuse a .keras file with layers that are not plain ones of Keras.

    Args:
        path: Path of a .keras file.

    Raises:
        ValueError: Naming the layer.
        KeyError, zipfile.BadZipFile: Where it is no such file.
    """
    with zipfile.ZipFile(path) as archive:
        waiting = [json.loads(archive.read("config.json"))]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        elif isinstance(part, dict):
            waiting += part.values()
            module, name = part.get("module"), part.get("class_name")
            is_keras = module is None or str(module).split(".")[0] in ("keras", "builtins")
            if not is_keras or name in FOREIGN:
                raise ValueError(f"{module}.{name}: expected built-in Keras layers only")
