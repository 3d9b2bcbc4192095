"""A search over recipes: trials that are ordinary runs, measured on val, and a suite file with what they found."""
