"""What several test files share: a quiet TensorFlow and the real data sets beside the project."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

SHARED = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared():
    """Path of the real data sets, which are no part of the project."""
    if not SHARED.is_dir():
        pytest.skip(f"no real data sets in {SHARED}")
    return SHARED
