"""Errors on the user's side, each a message of one sentence."""

import difflib
from collections.abc import Iterable

# Names that an error lists.
MOST_NAMED = 50
# What to do with several tables where one matrix is expected.
ONE_MATRIX = (
    "join several tables by sample id before: in pandas, concat(tables, axis=1, join='inner') "
    "puts the genes of the same samples side by side, concat(tables) puts further samples below"
)


class InputError(ValueError):
    """The user's input is wrong; the message names the place, what came and what was expected."""


class StageError(RuntimeError):
    """A stage cannot start; the message says what must come first."""


def nearest(received: object, expected: Iterable) -> str:
    """Return a hint at the nearest name.

    Args:
        received: Name that is not known.
        expected: Known names.

    >>> nearest("densnet", ["mlp", "resnet", "densenet"])
    " Did you mean 'densenet'?"
    >>> nearest("zzz", ["mlp"]), nearest("OS", ["age", "os"])
    ('', " Did you mean 'os'?")
    """
    names = [str(name) for name in expected]
    near = difflib.get_close_matches(str(received), names, n=1)
    # Letters of another case are letters that differ, to difflib.
    word = str(received).casefold()
    near = [name for name in names if name.casefold() == word][:1] or near
    return f" Did you mean {near[0]!r}?" if near else ""


def unknown(path: str, received: object, expected: Iterable) -> InputError:
    """Return the error for a name that is not one of the known ones.

    Args:
        path: Where the name stands, such as ``config.json: families``.
        received: The name that came.
        expected: The names that are known.

    Returns:
        An `InputError`, to be raised by the caller.

    >>> print(unknown("families", "densnet", ["mlp", "densenet"]))
    families: unknown name 'densnet'; expected one of: densenet, mlp. Did you mean 'densenet'?
    """
    names = sorted(str(name) for name in expected)
    names = ", ".join(names) if len(names) <= MOST_NAMED else some(names, MOST_NAMED)
    return InputError(
        f"{path}: unknown name {received!r}; expected one of: {names}.{nearest(received, expected)}"
    )


def cannot_write(place: object, error: Exception) -> InputError:
    """Return the error for a file or folder that cannot be written.

    Args:
        place: Its path.
        error: What the operating system said, or TensorFlow in its place.

    Returns:
        An `InputError`, to be raised by the caller.

    >>> print(cannot_write("runs", PermissionError(13, "Permission denied")))
    runs: cannot write here: Permission denied.
    >>> print(cannot_write("runs", FileExistsError(17, "File exists")))
    runs: cannot write here: a file stands in the place of a folder; choose another one.
    """
    reason = getattr(error, "strerror", None) or error
    if isinstance(error, (FileExistsError, NotADirectoryError)):
        reason = "a file stands in the place of a folder; choose another one"
    return InputError(f"{place}: cannot write here: {reason}.")


def some(names: Iterable, most: int = 5) -> str:
    """List a few names and count the others.

    Args:
        names: Names of any type.
        most: Most names to list.

    >>> some(["a", "b", "c"], most=2)
    "'a', 'b' and 1 more"
    """
    names = [str(name) for name in names]
    listed = ", ".join(repr(name) for name in names[:most])
    return listed if len(names) <= most else f"{listed} and {len(names) - most} more"
