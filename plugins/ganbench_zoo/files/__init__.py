"""Files that several data sets or extractors read in the same way: known by their hash, never unpickled."""
