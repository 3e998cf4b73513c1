"""What several test files share: a quiet TensorFlow and the real data sets beside the project."""

import gc
import logging
import os
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
from figures import left_out
from learners import draw_little, seed_little, solve_little
from walker import Walker

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Processes of tests share the cores: threads of each one's own would wait for each other.
for _threads in ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")
# What gRPC does at a fork can end a child that only wants to start a program.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

SHARED = Path(__file__).parents[2] / "shared" / "data"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Keep the tests of a file in one process, but for long ones that share nothing."""
    from scheduling import Files

    return Files(config, log)


def pytest_collection_finish():
    """Collect garbage seldom, and not in what all tests have imported: it takes a sixth of time."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


@pytest.fixture(scope="session")
def shared():
    """Path of the real data sets, which are no part of the project."""
    if not SHARED.is_dir():
        pytest.skip(f"no real data sets in {SHARED}")
    return SHARED


@pytest.fixture(autouse=True)
def _unchanged_logger():
    """Leave the package's logger as it was: the command line and runs put handlers on it."""
    logger = logging.getLogger("autogenome_tf")
    kept = list(logger.handlers), logger.level, logger.propagate
    yield
    logger.handlers, logger.level, logger.propagate = kept


@pytest.fixture(scope="session")
def walker():
    """One for all HDF5 files."""
    made = Walker()
    yield made
    made.close()


@pytest.fixture(autouse=True, scope="module")
def _forked_walks(request, walker):
    """Fork what looks through HDF5 files, but for the tests of reading, whose subject it is."""
    with pytest.MonkeyPatch.context() as patch:
        if "autogenome_tf.data" in sys.modules and request.path.parent.name != "data":
            patch.setattr("autogenome_tf.data._hdf5.subprocess", walker)
        yield


@pytest.fixture(autouse=True, scope="module")
def _forgotten_shapes():
    """Give back what the networks of a file have left behind: a worker sees hundreds of them."""
    yield
    if "autogenome_tf.training" in sys.modules:
        from autogenome_tf.nn.graphs import forget_shapes
        from autogenome_tf.training._cross_validation import SHARED

        SHARED.clear()
        forget_shapes()
    gc.freeze()


@pytest.fixture
def steps(monkeypatch):
    """Put an empty cache of compiled steps in place of the one of all tests."""
    from autogenome_tf.training._engines import StepCache

    cache = StepCache(8)
    monkeypatch.setattr("autogenome_tf.training._cross_validation.SHARED", cache)
    return cache


@pytest.fixture(scope="session")
def simulated(tmp_path_factory):
    """A folder with 60 samples x 80 genes of three classes, a config beside them."""
    from autogenome_tf.simulation.folder import simulate

    folder = tmp_path_factory.mktemp("simulated")
    simulate(folder, samples=60, features=80, informative=10, interactions=0)
    return folder


@pytest.fixture(scope="module")
def few_learners():
    """Solve few linear learners where they are not the subject: they take half of a short run.

    So do draws of a latent space's rows and seeds, of which there are few then too.
    """
    from autogenome_tf.families import member
    from autogenome_tf.models import _latent_space
    from autogenome_tf.training import _settings

    space, draws, seeds = solve_little(), draw_little(), seed_little()
    yield
    member("linear").space, _latent_space.RESAMPLES = space, draws
    _settings.AUTO_SEEDS = seeds


@pytest.fixture(autouse=True, scope="module")
def _without_figures(request):
    """Leave figures out of runs, but in files that are marked with `figures`."""
    # The doors to runs import them late; other files need not wait for what is patched.
    doors = {"autogenome_tf", "autogenome_tf.cli", "autogenome_tf.automl"}
    has_runs = any(getattr(one, "__name__", "") in doors for one in vars(request.module).values())
    has_runs |= "autogenome_tf.automl" in sys.modules
    is_left_out = has_runs and not request.node.get_closest_marker("figures")
    with left_out() if is_left_out else nullcontext():
        yield
