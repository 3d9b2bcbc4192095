"""Records to leaderboards: which rows compare, in what order, and how sure that is. Neither torch nor plugins."""

from ganbench.rank.comparison import Comparison, Comparisons, comparisons
from ganbench.rank.equal import SPENDS, Common, Equal, amount
from ganbench.rank.leaderboard import Leaderboard, from_records, leaderboards
from ganbench.rank.records import Record, find_runs, load_records, read_record
from ganbench.rank.rows import Column
from ganbench.rank.times import Target, Times, condition

__all__ = [
    "SPENDS",
    "Column",
    "Common",
    "Comparison",
    "Comparisons",
    "Equal",
    "Leaderboard",
    "Record",
    "Target",
    "Times",
    "amount",
    "comparisons",
    "condition",
    "find_runs",
    "from_records",
    "leaderboards",
    "load_records",
    "read_record",
]
