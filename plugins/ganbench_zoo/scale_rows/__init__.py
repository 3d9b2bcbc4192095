"""Rows that give a table its scale: samples that no generator made, one a file."""
