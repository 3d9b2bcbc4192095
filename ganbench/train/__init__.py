"""One loop trains every GAN: players and turns on a device, under derived seeds, resumable.

`Engine` plays a `Game`; `two_player` makes the standard game of an architecture, a loss and further components.
"""

from ganbench.train.engine import Engine
from ganbench.train.parts import Part, build_parts
from ganbench.train.standard import two_player
from ganbench.train.views import View

__all__ = ["Engine", "Part", "View", "build_parts", "two_player"]
