"""Time and peak memory of reading a text matrix, beside pandas' pyarrow reader.

    python tests/benchmarks/reading.py --rows 2000 --genes 20000

Each reader runs in a process of its own; memory is the peak above that of the imports, as a
multiple of the matrix in float32. (pandas needs about 18 GB for 10,000 x 20,000.)
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

READERS = {
    "autogenome_tf": "from autogenome_tf.data import read_table; read = read_table",
    "pandas pyarrow": (
        "import pandas, pyarrow.csv\n"
        "read = lambda path: pandas.read_csv(path, sep='\\t', engine='pyarrow')"
    ),
}
MEASURE = """
import resource, sys, time
{imports}
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before, started = peak(), time.monotonic()
table = read(sys.argv[1])
print(time.monotonic() - started, peak() - before)
"""


def write(path, rows, genes):
    """Write log-normal counts with sample ids and a header."""
    random = np.random.default_rng(0)
    with open(path, "w") as file:
        file.write("sample\t" + "\t".join(f"GENE{i}" for i in range(genes)) + "\n")
        for row in range(rows):
            values = np.round(random.lognormal(3, 1.5, genes), 2)
            file.write(f"s{row}\t" + "\t".join(map(str, values)) + "\n")


def measured(imports, path):
    """Seconds and MiB of one reader in a new process."""
    command = [sys.executable, "-c", MEASURE.format(imports=imports), str(path)]
    return map(float, subprocess.check_output(command, text=True).split())


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--genes", type=int, default=20000)
    parser.add_argument("--only", choices=READERS, nargs="*", default=list(READERS))
    parsed = parser.parse_args()
    matrix = parsed.rows * parsed.genes * 4 / 2**20
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "matrix.tsv"
        write(path, parsed.rows, parsed.genes)
        print(f"{parsed.rows} x {parsed.genes}: {matrix:.0f} MiB as float32")
        for name in parsed.only:
            seconds, peak = measured(READERS[name], path)
            print(
                f"{name:16} {seconds:6.1f} s, peak {peak:6.0f} MiB = {peak / matrix:.2f} x matrix"
            )


if __name__ == "__main__":
    main()
