"""Threads of BLAS and LAPACK, the libraries behind products and decompositions of matrices."""

import functools
from contextlib import AbstractContextManager

import threadpoolctl


def one_thread() -> AbstractContextManager:
    """Limit BLAS and LAPACK to one thread while a block runs.

    Threads that share a small product, or one column of a decomposition after the other, wait for
    each other. Beside other work on the machine they wait many times as long as one of them works.
    """
    return _controller().limit(limits=1)


@functools.cache
def _controller():
    """Return the controller of the libraries' threads; to find them takes milliseconds."""
    # SciPy brings a BLAS beside NumPy's, which can be found only where it is loaded.
    import scipy.linalg  # noqa: F401

    return threadpoolctl.ThreadpoolController()
