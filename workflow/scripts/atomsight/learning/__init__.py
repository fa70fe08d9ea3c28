"""The network, the simulated examples it learns from, its training, and models as folders."""
