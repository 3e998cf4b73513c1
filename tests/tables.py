"""Tables as tests compare them: values of a matrix, and the leaderboard of a run."""

import numpy as np
import pandas as pd
import scipy.sparse


def dense(table):
    """Return the values of a `Table` or `Dataset` as an array, whatever they are stored as."""
    assert table.values.dtype == np.float32
    return table.values.toarray() if scipy.sparse.issparse(table.values) else table.values


def board(folder):
    """Return the leaderboard of a run without the seconds, which differ from run to run."""
    return pd.read_csv(folder / "leaderboard.tsv", sep="\t").drop(columns="seconds")
