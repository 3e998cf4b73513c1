"""BLAS and LAPACK work with one thread inside a block, and with as many as before behind it."""

import pytest
import scipy.linalg  # noqa: F401 (brings a BLAS of its own)
import threadpoolctl

from autogenome_tf.core import blas


def threads():
    """Return the threads of every BLAS that is loaded."""
    return [
        one["num_threads"] for one in threadpoolctl.threadpool_info() if one["user_api"] == "blas"
    ]


def test_every_blas_has_one_thread_until_the_block_ends():
    with threadpoolctl.threadpool_limits(2, "blas"):
        with blas.one_thread():
            assert set(threads()) == {1}
            with blas.one_thread():
                assert set(threads()) == {1}
            assert set(threads()) == {1}
        assert set(threads()) == {2}
        with pytest.raises(ZeroDivisionError), blas.one_thread():
            raise ZeroDivisionError
        assert set(threads()) == {2}
