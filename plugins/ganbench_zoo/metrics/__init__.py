"""Metrics, one a file. What torch-fidelity has is its maths, or equal to it; none of its defaults is relied upon."""
