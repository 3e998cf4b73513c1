"""Walks through HDF5 files in processes forked from one that has the library, to begin at once."""

import json
import os
import select
import signal
import subprocess
import sys

# Looks through the file of each line that it reads.
WALKER = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
import _walk
for line in sys.stdin:
    child = os.fork()
    if not child:
        _walk.main(*json.loads(line))
        sys.stdout.flush()
        os._exit(0)
    print("ended", os.waitpid(child, 0)[1], flush=True)
"""


class Walker:
    """Stand-in for `subprocess` in `autogenome_tf.data._hdf5`: a fork for every file."""

    TimeoutExpired = subprocess.TimeoutExpired
    _server = None

    def run(self, command, timeout, **_):
        """Run the command of a walk; it may crash, or never end."""
        walk, source, *rest = command[2:]
        self._server = self._server or subprocess.Popen(
            [sys.executable, "-c", WALKER, os.path.dirname(walk)], start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip
        self._server.stdin.write(json.dumps([os.path.abspath(source), *rest]) + "\n")
        if not select.select([self._server.stdout], [], [], timeout)[0]:
            self.close()
            raise subprocess.TimeoutExpired(command, timeout)
        said = ""
        while not (line := self._server.stdout.readline()).startswith("ended"):
            said += line
        return subprocess.CompletedProcess(command, int(line.split()[1]), said)

    def close(self):
        """End all of its processes."""
        if self._server:
            os.killpg(self._server.pid, signal.SIGKILL)
            self._server.communicate()
            self._server = None
