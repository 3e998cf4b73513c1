"""The part of this process among several that search or train together."""

import contextlib
import logging
import tempfile
import time
from pathlib import Path

import pandas as pd

from autogenome_tf import search
from autogenome_tf.automl._outer import outer_folds, train_outer
from autogenome_tf.automl._session import Session, on_this_machine
from autogenome_tf.automl._train import train
from autogenome_tf.config import Output
from autogenome_tf.run import Run, remembered, say_to
from autogenome_tf.run.trackers import check_trackers
from autogenome_tf.training import worker_cluster

log = logging.getLogger(__name__)

# Seconds between two questions whether a chief has begun its next search.
POLL = 1.0


def trained(session: Session) -> pd.DataFrame:
    """Run the train stage of a run that this process writes, and its outer folds, unless done.

    Args:
        session: Session of the run.

    Returns:
        The rows of leaderboard.tsv, best first.
    """
    found = _trained(session)
    if session.config.search.outer:
        train_outer(session, _trained)
    return found


def _trained(session):
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
    check_trackers(session.config.output.trackers)
    last, count, before = ("", ""), session.config.search.outer, session

    def has_ended():
        # Before the first search there is no run that could have ended.
        run = session.run and session.opened()
        return run is not None and "train" in run.stages and run.has_all_folds

    while True:
        remote = search.remote(session.config, session.spaces, role, has_ended)
        here = on_this_machine(f"{session.config.name}: search")
        with here, contextlib.closing(remote):
            while (place := remote.joined()) == last:
                # The chief fits the final model of the search that is over.
                time.sleep(POLL)
            if place is None:
                log.info("search: the run of the chief has ended")
                return
            before.forget()
            before, last = _begun(session, *place), place
            with say_to(before.opened().path(search.log_of(role)), session.earlier):
                prepared = before.prepared()
                search.work(remote, prepared.cross_validation, before.config, before.opened())
        if not count or place[0].endswith(f"/fold_{count}"):
            return


def _begun(session, place, began):
    """Return the session of the search that a chief serves: that of the run, or an outer fold's."""
    name, *fold = place.split("/")
    if not fold or session.run is None:
        folder = Run(Path(session.config.output_dir) / name)
        known = began if not fold else folder.read_json("environment.json")["began"]
        with remembered(session.earlier), session.as_file() as rows:
            session.run = Run.begun(name, known, session.config, rows)
        session.use(session.run.config())
    if not fold:
        return session
    number = int(fold[-1].removeprefix("fold_"))
    own = outer_folds(session)[number - 1].session
    own.run = Run.begun(fold[-1], began, own.config)
    return own
