"""Packages that are installed only by those who need them."""

import importlib
from typing import Any

from autogenome_tf.core.errors import InputError


def optional(package: str, extra: str, source: str) -> Any:
    """Import a package of an extra of this one.

    Args:
        package: Its name.
        extra: The extra that installs it, such as "singlecell".
        source: The file that needs it, for the message.

    Raises:
        InputError: It is not installed; the message says how to.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise InputError(
            f"{source}: needs the package {package!r}, which is not installed; "
            f'run: pip install "autogenome_tf[{extra}]"'
        ) from error
