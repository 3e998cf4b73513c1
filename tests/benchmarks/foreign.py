"""Methods that run in a Python environment of their own, made where it is missing."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

REQUIREMENTS = {
    "xgboost": ["xgboost==3.*", "scikit-learn"],
    "flaml": ["flaml[automl]==2.7.*"],
    "autogluon": ["autogluon.tabular[lightgbm,catboost,xgboost]==1.6.*"],
    "realmlp": ["pytabkit==1.8.*", "torch==2.13.*"],
    "tabm": ["pytabkit==1.8.*", "torch==2.13.*"],
}
CACHE = Path.home() / ".cache" / "autogenome_tf-benchmarks"
SCRIPTS = Path(__file__).resolve().parent / "peers"
# A peer is ended when it has used so many times its seconds.
PATIENCE = 3
# Threads that wait in a loop slow each other down many times where other work runs.
WAITING = {"OMP_WAIT_POLICY": "passive"}


def environment(name, folder):
    """Path of the Python that has a peer's packages; made on first use."""
    folder = Path(folder).absolute() / name
    python = folder / "bin" / "python"
    wanted = "\n".join(REQUIREMENTS[name])
    done = folder / "installed.txt"
    if not done.exists() or done.read_text() != wanted:
        print(f"making the environment of {name} in {folder}", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *REQUIREMENTS[name]], check=True)
        done.write_text(wanted)
    return python


def predictions(name, python, task, train, truth, test, seconds, seed):
    """Train a peer and predict the test rows.

    Args:
        name: A name of `REQUIREMENTS`.
        python: Of its `environment`.
        task: "classification" or "regression".
        train: (rows, genes) training rows.
        truth: (rows,) their class names or numbers.
        test: (rows, genes) test rows.
        seconds: Its budget.
        seed: Of whatever it draws.

    Returns:
        (rows,) class names or numbers.

    Raises:
        RuntimeError: Where it fails or overruns, with its last words.
    """
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        train, test = train.astype("float32"), test.astype("float32")
        np.savez(place / "rows.npz", train=train, truth=truth, test=test)
        script = SCRIPTS / f"with_{name}.py"
        command = [python, "-E", script, task, str(seconds), str(seed)]
        _run(command, place, PATIENCE * seconds)
        return np.load(place / "predictions.npy")


def _run(command, place, seconds):
    said = place / "said.txt"
    with open(said, "w") as file:
        process = subprocess.Popen(
            command,
            cwd=place,
            env=os.environ | WAITING,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"ended after {seconds:.0f} s") from None
        finally:
            _end(process)
    if status:
        words = said.read_text(errors="replace").strip().splitlines()
        raise RuntimeError(words[-1] if words else f"exit status {status}")


def _end(process):
    """End a peer together with what it has started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
