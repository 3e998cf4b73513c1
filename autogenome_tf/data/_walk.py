"""A walk over all that must be read of an HDF5 file, in a process of its own; see `_hdf5`.

Nothing of this package is imported here: a process that takes half a second should not take five.
"""

import contextlib
import json
import resource
import sys
import zipfile

import h5py

# Beside what is read.
BASE = 1 << 30
# Bytes of a text in memory, at least.
TEXT = 64
# Where a model has its numbers, in an archive of Keras.
WEIGHTS = "model.weights.h5"


class Refused(Exception):
    """Refusal of a file, with the reason in words."""


def walk(path, names, most):
    """Visit links, attributes, texts and chunks as a reader does, without reading numbers.

    Args:
        path: Of the file, or of a `.keras` archive with one in it.
        names: Of the parts that are read; none: all.
        most: Bytes, beyond which nothing more is looked at.

    Returns:
        Bytes that all of it takes unpacked.

    Raises:
        Refused: For links and values that lie in other files.
        Exception: Of a dozen kinds, where the file is damaged.
    """
    with contextlib.ExitStack() as stack:
        total = 0
        if str(path).endswith(".keras"):
            archive = stack.enter_context(zipfile.ZipFile(path))
            total = sum(part.file_size for part in archive.infolist() if part.filename != WEIGHTS)
            path = stack.enter_context(archive.open(WEIGHTS))
        file = stack.enter_context(h5py.File(path))
        dict(file.attrs)
        waiting = [(file, name) for name in file if not names or name in names]
        seen = set()
        while waiting and total <= most:
            group, name = waiting.pop()
            if isinstance(group.get(name, getlink=True), h5py.ExternalLink):
                raise Refused(f"{name!r} is a link to another file")
            part = group[name]
            address = h5py.h5o.get_info(part.id).addr
            if address in seen:
                continue
            seen.add(address)
            dict(part.attrs)
            if isinstance(part, h5py.Group):
                waiting += [(part, inner) for inner in part]
            elif isinstance(part, h5py.Dataset):
                total += _unpacked(part, most - total)
        return total


def _unpacked(part, most):
    """Return the bytes of a dataset; its texts are read, of its numbers the chunks are counted."""
    if part.is_virtual or part.external:
        raise Refused(f"the values of {part.name!r} are in another file")
    is_plain = part.dtype.kind in "biuf"
    size = (part.size or 0) * (part.dtype.itemsize if is_plain else max(TEXT, part.dtype.itemsize))
    if size > most:
        return size
    if not is_plain:
        part[()]
    elif part.chunks:
        part.id.chunk_iter(lambda _: None)
    return size


def _bound(most, seconds):
    """Let this process have so much memory and time of the processor, or what it may have."""
    allowed = resource.getrlimit(resource.RLIMIT_CPU)[1]
    if allowed == resource.RLIM_INFINITY or seconds < allowed:
        # The signal at its end would leave a file of this process's memory.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, allowed))
    allowed = resource.getrlimit(resource.RLIMIT_AS)[1]
    if allowed != resource.RLIM_INFINITY:
        most = min(most, allowed)
    # macOS refuses any limit of memory; that of time is left there.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (most, allowed))


def main(path, most, seconds, *names):
    """Print what was found as JSON."""
    most = int(most)
    _bound(most + BASE, int(seconds))
    try:
        found = {"unpacked": walk(path, names, most)}
    except Refused as error:
        found = {"refused": str(error)}
    except Exception as error:
        found = {"damaged": str(error)}
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
