"""HDF5 files are looked through by another process before this one opens them.

A damaged file can send the library round in circles or crash it, and neither can be stopped from
inside. A process of its own can be: it goes everywhere the reader will go.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from autogenome_tf.core.errors import InputError
from autogenome_tf.data._files import check_file, check_unpacked, most_unpacked

WALK = Path(__file__).with_name("_walk.py")
# Of the processor. A sound file takes less than a second, and more only where it holds millions of
# chunks.
SECONDS, BYTES_A_SECOND = 30, 20 << 20
# Times as long by the clock: a busy machine or a slow disk is no fault of the file.
PATIENCE = 20


def check_hdf5(source: str, most: int | None = None, *names: str) -> None:
    """Refuse a file that the library cannot read to its end.

    Args:
        source: Path of the file, or of a `.keras` archive with one in it.
        most: Bytes that it may unpack to; None: as many as any file.
        *names: Parts that will be read; none: all of it.

    Raises:
        InputError: It is damaged, unpacks to more, or its values lie in other files.
    """
    check_file(source)
    most = most_unpacked(source) if most is None else most
    seconds = SECONDS + os.path.getsize(source) // BYTES_A_SECOND
    # -P: the readers of this folder are called as packages are.
    command = [sys.executable, "-P", str(WALK), source, str(most), str(seconds), *names]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE * seconds, env=environment
        )
        found = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        found = {"damaged": f"the HDF5 library did not finish within {PATIENCE * seconds} s"}
    except ValueError:
        is_late = done.returncode == -signal.SIGXCPU
        how = (
            f"did not finish within {seconds} s of the processor"
            if is_late
            else f"ended with status {done.returncode}"
        )
        found = {"damaged": f"the HDF5 library {how}"}
    if "damaged" in found:
        raise InputError(f"{source}: not a readable HDF5 file ({found['damaged']}).")
    if "refused" in found:
        raise InputError(f"{source}: {found['refused']}; expected all values in this file.")
    check_unpacked(source, found["unpacked"], most)
