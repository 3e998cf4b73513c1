"""Packages that are installed only by those who need them."""

import importlib

from autogenome_tf.core.errors import InputError


def single_cell(package, source):
    """Import a package of the extra ``singlecell``.

    Raises:
        InputError: It is not installed; the message says how to.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise InputError(
            f"{source}: needs the package {package!r}, which is not installed; "
            'run: pip install "autogenome_tf[singlecell]"'
        ) from error
