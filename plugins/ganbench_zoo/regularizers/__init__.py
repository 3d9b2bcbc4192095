"""Penalties and constraints that are added to a loss, one a file."""
