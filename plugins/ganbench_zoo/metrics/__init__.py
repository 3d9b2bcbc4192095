"""Metrics, one a file. The maths is torch-fidelity's, none of whose defaults is relied upon."""
