"""Building blocks that several architectures or metrics share: pure torch, no registration."""
