"""Lets the tests here import the package `stand_ins` and the modules beside it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
