"""The command line in processes forked from one that has imported everything, to begin at once.

TensorFlow is not begun in that one, since it does not survive a fork.
"""

import contextlib
import functools
import multiprocessing
import os
import signal
import sys
import time
import types
from pathlib import Path

from autogenome_tf import cli

SECONDS = 300
PRELOADED = [
    "pytest", "autogenome_tf.automl", "autogenome_tf.cli._summary",
    "autogenome_tf.search.methods.bayesian",
    "autogenome_tf.data.readers.text", "autogenome_tf.search.methods.enas",
    "autogenome_tf.explainers.fast_deep_shap", "shap", "sklearn.cluster", "matplotlib.figure",
    "matplotlib.backends.backend_svg", "tensorflow_serving.apis.prediction_log_pb2",
]  # fmt: skip


class Command:
    """A command line that runs.

    Args:
        arguments: Of `main`.
        said: Path of a file for what it says.
        main: Function of a module, in place of the command line's; returns the exit status.
        environment: Further variables.
    """

    def __init__(self, arguments, said, main=cli.main, environment=types.MappingProxyType({})):
        self._said = Path(said)
        self._said.touch()
        self._start = self._said.stat().st_size
        given = main, list(map(str, arguments)), said, dict(environment)
        self._process = _context().Process(target=_run, args=given)
        self._process.start()

    @property
    def text(self):
        """What it has said."""
        with open(self._said, "rb") as file:
            file.seek(self._start)
            return file.read().decode()

    @property
    def is_running(self):
        """Whether it has not ended."""
        return self._process.is_alive()

    def wait_for(self, is_time):
        """Wait for the end, or a line that `is_time` says yes to."""
        is_running = True
        while is_running:
            is_running = self.is_running
            if any(map(is_time, self.text.splitlines())):
                return
            time.sleep(0.005)

    def ended_within(self, seconds=SECONDS, status=0):
        """Return whether the process ends in time; raise an error for another exit status."""
        self._process.join(seconds)
        if self._process.exitcode not in (None, status):
            raise AssertionError(self.text)
        return not self.is_running

    def signal(self, number):
        """Send it a signal."""
        os.kill(self._process.pid, number)

    def kill(self):
        """Kill it; returns whether it had not ended before."""
        self._process.kill()
        self._process.join()
        return self._process.exitcode == -signal.SIGKILL


@functools.cache
def _context():
    """Where processes come from."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    first = context.Process(target=int)
    first.start()
    first.join()
    return context


def _run(main, arguments, said, environment):
    os.environ.update(environment)
    with open(said, "a", buffering=1) as file:
        with contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
            sys.exit(main(arguments))
