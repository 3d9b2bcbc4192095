"""Whole GANs as their papers published them, one a file."""
