"""Lets the tests here import the package `stand_ins`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
