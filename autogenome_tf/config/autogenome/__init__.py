"""AutoGenome's own JSON, key by key, as a config of this package."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autogenome_tf.config.autogenome._keys import KEYS, Keys, Note
from autogenome_tf.config.autogenome._port import put_all

__all__ = ["KEYS", "Note", "is_original", "ported"]


def is_original(given: Any) -> bool:
    """Return whether the keys of a config are those of the original AutoGenome.

    Args:
        given: Keys of a config.
    """
    if not isinstance(given, dict) or {"data", "families", "search", "training"} & set(given):
        return False
    return bool({"model", "data_train", "trainer"} & set(given))


def ported(
    given: Mapping[str, Any], place: str, folder: str | Path
) -> tuple[dict[str, Any], list[Note]]:
    """Port every key of an original config.

    Args:
        given: What its JSON holds.
        place: Its name, for errors.
        folder: What its paths are relative to.

    Returns:
        The keys of a config here as nested dicts, and a `Note` for each old key.

    Raises:
        InputError: For a key that the original does not have, a value that it does not take, or one
            that has no counterpart here; the message names the nearest.
    """
    keys = Keys(given, place, folder)
    put_all(keys)
    return keys.new, keys.notes
