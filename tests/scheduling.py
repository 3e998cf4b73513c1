"""Schedule the tests of a file in one process, and long ones first."""

from xdist.scheduler import LoadScopeScheduling

# Their tests take long and share nothing, so that any process that is free may take one.
APART = (
    "test_tutorials.py", "test_kills.py", "test_several_processes.py", "test_shipped_configs.py",
    "test_machine.py", "test_multi_worker.py", "test_field_copies.py",
)  # fmt: skip
# What takes long begins first: begun last, it would leave the other processes without work.
FIRST = (
    *APART, "test_enas.py", "test_estimators.py", "test_hostile.py", "test_automl.py",
    "test_autogenome.py", "test_training.py", "test_attributions.py", "test_export.py",
    "test_types.py", "test_site.py", "test_mirrored.py", "test_forest_run.py", "test_planted.py",
)  # fmt: skip


class Files(LoadScopeScheduling):
    """Keep the tests of a file together, since what they share is then made once."""

    def _split_scope(self, nodeid):
        file = nodeid.split("::")[0]
        return nodeid if _name(file) in APART else file

    def _assign_work_unit(self, node):
        first = min(self.workqueue, key=_place)
        self.workqueue.move_to_end(first, last=False)
        super()._assign_work_unit(node)


def _name(scope):
    return scope.split("::")[0].rsplit("/", 1)[-1]


def _place(scope):
    """Return the place of a file in `FIRST`; the number of tests orders all others."""
    name = _name(scope)
    return FIRST.index(name) if name in FIRST else len(FIRST)
