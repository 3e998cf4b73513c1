"""Rows beyond memory: seconds a row and peak memory from ten thousand cells to a million.

Sparse counts of 2,000 genes are drawn into an archive; a process of its own trains one epoch of a
network on it and predicts all rows of the file, reading it again:

    python tests/benchmarks/streaming.py [--rows 10000 100000 1000000] [--memory 0.25]

Peak memory is the largest resident set of that process (pages of mapped files among it), and what
of it is the process's own at the end. TMPDIR needs room for about four times the archive.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import scipy.sparse

GENES, TYPES, DEPTH, CHUNK = 2000, 5, 150, 5000
FAMILIES = {
    "mlp": {"families": {"mlp": {"layers": 1, "units": 128}}},
    "resvae": {"task": {"type": "representation"}, "families": {"resvae": {"layers": 1}}},
}


def draw(path, rows):
    """Counts of five cell types, written as an archive that is never a whole in memory."""
    from autogenome_tf.core.growing import GrowingRows

    random = np.random.default_rng(0)
    profiles = random.gamma(0.3, 1, (TYPES, GENES))
    profiles /= profiles.sum(axis=1, keepdims=True)
    types = random.integers(0, TYPES, rows)
    whole = GrowingRows(GENES)
    for start in range(0, rows, CHUNK):
        means = DEPTH * profiles[types[start : start + CHUNK]]
        whole.add(scipy.sparse.csr_matrix(random.poisson(means).astype("float32")))
    counts = whole.matrix
    np.savez(
        path, data=counts.data, indices=counts.indices, indptr=counts.indptr,
        shape=np.array(counts.shape), format=np.array(b"csr"),
        target_type=np.array([f"type_{number}" for number in types]),
    )  # fmt: skip
    return counts.nnz / rows / GENES


def measure(path, family, memory, folder):
    """Train and predict in this process; print what it took as JSON."""
    import autogenome_tf as ag

    config = {
        "name": f"{family}-{Path(path).stem}", "output_dir": folder, "output": {"figures": False},
        "data": {"features": path, "target": "type", "memory": memory},
        "search": {"max_trials": 1, "epochs": 1},
        "training": {"epochs": 1, "learning_rate": 0.001},
        **FAMILIES[family],
    }  # fmt: skip
    automl = ag.AutoGenome(config)
    automl.train()
    history = np.genfromtxt(automl.folder / "history.tsv", names=True, delimiter="\t")
    started = time.monotonic()
    told = automl.predict(path)
    predicted = time.monotonic() - started
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    kib = {key: int(status[key].split()[0]) for key in ("VmHWM", "RssAnon")}
    found = {"epoch": float(np.ravel(history["seconds"])[-1]), "predict": predicted}
    print(json.dumps(found | {"rows": len(told)} | kib))


def main():
    """Print the table."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    asked.add_argument("--memory", type=float, default=0.25, help="data.memory, GiB")
    asked.add_argument("--one", nargs=3, metavar=("PATH", "FAMILY", "FOLDER"))
    given = asked.parse_args()
    if given.one:
        path, family, folder = given.one
        measure(path, family, given.memory, folder)
        return
    print(
        "| rows | family | epoch, us a row | read and predict, us a row | peak | own at the end |"
    )
    print("|--:|---|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as folder:
        for rows in given.rows:
            path = os.path.join(folder, f"{rows}.npz")
            density = draw(path, rows)
            for family in FAMILIES:
                command = [sys.executable, __file__, "--memory", str(given.memory)]
                command += ["--one", path, family, folder]
                environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
                done = subprocess.run(command, capture_output=True, text=True, env=environment)
                if done.returncode:
                    sys.exit(done.stderr)
                found = json.loads(done.stdout.splitlines()[-1])
                each = [1e6 * found[name] / rows for name in ("epoch", "predict")]
                peak, own = (found[name] / 2**20 for name in ("VmHWM", "RssAnon"))
                print(
                    f"| {rows:,} | {family} | {each[0]:.0f} | {each[1]:.0f} | {peak:.2f} GiB "
                    f"| {own:.2f} GiB |", flush=True,
                )  # fmt: skip
            os.remove(path)
    print(f"\n{100 * density:.1f} % of the counts are not 0; data.memory {given.memory:g} GiB.")


if __name__ == "__main__":
    main()
