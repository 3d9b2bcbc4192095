"""Does a results folder hold together? Records follow from specifications, tables from records. No torch, no plugins.

Whether a record is honest no reading can tell: that takes a repetition.
"""

from ganbench.verify.folder import Report, verify
from ganbench.verify.runs import Finding

__all__ = ["Finding", "Report", "verify"]
