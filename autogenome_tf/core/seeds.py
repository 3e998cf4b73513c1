"""Chance as an argument: one seed in the config, one derived stream per purpose."""

import zlib


def derive(seed: int, purpose: str) -> int:
    """Derive the seed of one purpose, so that a new stage moves no other stream.

    Args:
        seed: The config's seed, an integer of at least 0.
        purpose: Any text, such as ``"split"`` or ``"trial/3"``.

    Returns:
        An integer in [1, 2^31 - 2]; never 0, which KerasTuner takes for "no seed".

    >>> derive(7, "split") == derive(7, "split") != derive(7, "search")
    True
    """
    return 1 + zlib.crc32(f"{seed}/{purpose}".encode()) % (2**31 - 2)
