"""The words in which a suite states its levels: a bound on the headline, or on what else is measured of a seed."""

BELOW, BELOW_ROLE, BELOW_SHARE = "below", "below_role", "below_share_of_"
"""The headline is below a number, below a role's row of the scale, below a share of that (the role's name follows)."""
AT_LEAST, AT_MOST = "_at_least", "_at_most"
"""Endings of the name of a column or a sanity value."""
