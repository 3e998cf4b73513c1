"""Schedule the tests of a file in one process."""

from xdist.scheduler import LoadScopeScheduling

# Their tests take long and share nothing, so that any process that is free may take one.
APART = {
    "test_field_copies.py", "test_kills.py", "test_machine.py", "test_multi_worker.py",
    "test_several_processes.py", "test_shipped_configs.py", "test_tutorials.py",
}  # fmt: skip


class Files(LoadScopeScheduling):
    """Keep the tests of a file together, since what they share is then made once."""

    def _split_scope(self, nodeid):
        file = nodeid.split("::")[0]
        return nodeid if file.rsplit("/", 1)[-1] in APART else file
