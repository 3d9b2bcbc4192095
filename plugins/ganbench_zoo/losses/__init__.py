"""Adversarial objectives, one a file."""
