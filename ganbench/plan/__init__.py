"""From a suite file, filters and plugins to an ordered list of `RunSpec`s. Touches no torch itself."""
