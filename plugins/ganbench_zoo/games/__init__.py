"""Games with players and turns of their own, one a file."""
