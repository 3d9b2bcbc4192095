"""Lets the tests here import the modules beside them, and those of the tests of training and of tables."""

import sys
from pathlib import Path

for folder in (Path(__file__).parent, Path(__file__).parents[1] / "train", Path(__file__).parents[1] / "rank"):
    sys.path.insert(0, str(folder))
