"""Samples in a run folder → scores under a named protocol. Nothing here knows the network that made the samples."""
