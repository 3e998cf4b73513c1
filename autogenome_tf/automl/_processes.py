"""The part of this process among several that search or train together."""

import contextlib
import tempfile

import pandas as pd

from autogenome_tf import search
from autogenome_tf.automl._session import Session, on_this_machine
from autogenome_tf.automl._train import train
from autogenome_tf.config import Output
from autogenome_tf.run import Run, remembered, say_to
from autogenome_tf.training import worker_cluster


def trained(session: Session) -> pd.DataFrame:
    """Run the train stage of a run that this process writes, unless it is done.

    Args:
        session: Session of the run.

    Returns:
        The rows of leaderboard.tsv, best first.
    """
    run, workers = session.begun(("train",)), session.workers
    is_done = workers.is_trained(run, session.config) if workers else "train" in run.stages
    if is_done:
        session.forget()
        return run.read_table("leaderboard.tsv")
    with session.stage("train") as times:
        rows, ready, config = session.rows, session.prepared(), session.config
        found = train(run, rows, ready, config=config, spaces=session.spaces, times=times)
        session.forget()
    return found


def helps_only(session: Session) -> bool:
    """Run this process's share of the training where another process writes the run.

    Args:
        session: The run, as asked for.

    Returns:
        Whether that was all that this process has to do.
    """
    role = search.process_role(session.config)
    session.workers = session.workers or worker_cluster()
    if role and not role.is_chief:
        _work(session, role)
        return True
    if session.workers and session.workers.place:
        with tempfile.TemporaryDirectory(prefix="autogenome_tf-") as folder:
            update = {"output_dir": folder, "output": Output(figures=False)}
            beside = Session(session.config.model_copy(update=update), session.given)
            beside.workers = session.workers
            trained(beside)
        return True
    return False


def _work(session, role):
    """Run the trials that the chief of the search hands out."""
    joined = search.joined(session.config, session.spaces, role)
    here = on_this_machine(f"{session.config.name}: search")
    with here, contextlib.closing(joined) as remote:
        with remembered(session.earlier), session.as_file() as rows:
            run = Run.begun(*remote.joined(), session.config, rows)
        session.use(run.config())
        with say_to(run.path(search.log_of(role)), session.earlier):
            search.work(remote, session.prepared().cross_validation, session.config, run)
