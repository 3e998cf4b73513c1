"""AutoGenome's own JSON, key by key, as a config of this package."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from autogenome_tf.config.autogenome._keys import KEYS, Keys, Note
from autogenome_tf.config.autogenome._port import put_all
from autogenome_tf.core.errors import InputError

__all__ = ["KEYS", "OURS", "Note", "is_original", "ported", "with_old_name"]

# Sections that a config of this package has and one of the original has not.
OURS = frozenset({"data", "families", "search", "training"})


def is_original(given: Any) -> bool:
    """Return whether the keys of a config are those of the original AutoGenome.

    Args:
        given: Keys of a config.
    """
    if not isinstance(given, dict) or OURS & set(given):
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


def with_old_name(error: InputError, place: str, notes: Iterable[Note]) -> InputError:
    """Return the error of a ported config, with the original's name of the key.

    Args:
        error: Error of `Config.of`, whose text begins with the place and the key.
        place: Name of the config.
        notes: Notes of the port.
    """
    key, _, _ = str(error).removeprefix(f"{place}: ").partition(": ")
    # A key there may stand for a section here, whose own name is shorter.
    known = [note for note in notes if note.new and f"{key}.".startswith(f"{note.new}.")]
    if not known:
        return error
    nearest = max(known, key=lambda note: len(note.new))
    return InputError(f"{error} The key of AutoGenome is {nearest.old}.")
