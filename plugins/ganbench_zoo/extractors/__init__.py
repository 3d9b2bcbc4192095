"""One file for each extractor, beside the weights and features that it ships."""
