"""Records to leaderboards: which rows compare, in what order, and how sure that is. Neither torch nor plugins."""

from ganbench.rank.leaderboard import Leaderboard, from_records, leaderboards
from ganbench.rank.records import Record, find_runs, load_records, read_record
from ganbench.rank.rows import Column

__all__ = [
    "Column",
    "Leaderboard",
    "Record",
    "find_runs",
    "from_records",
    "leaderboards",
    "load_records",
    "read_record",
]
