"""The conformance kit: holds what a plugin registers to what it declares, with a line of advice where it does not.

`ganbench check`, `pytest --ganbench` and the project's own tests run the same checks. Importing this costs no torch.
"""

from ganbench.conformance.checks import Advice, Case, Outcome, Skip
from ganbench.conformance.kit import cases, registered_by, targets

__all__ = ["Advice", "Case", "Outcome", "Skip", "cases", "registered_by", "targets"]
