"""Building blocks that several architectures share: pure torch, no registration."""
