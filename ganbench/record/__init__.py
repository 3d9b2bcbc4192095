"""Files that last: atomic writes, one schema, the machine a run was made on. Neither torch nor pandas."""
