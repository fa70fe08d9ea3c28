import numpy as np
import pytest


@pytest.fixture
def noise():
    return np.random.default_rng(5).normal(100, 10, (3, 48, 64)).astype(np.float32)
