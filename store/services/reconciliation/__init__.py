"""Reconciliation: the payment service and the store compared both ways over a span of time.

`schedule` handles the events that were never delivered and remembers how far it came; `repair` compares and writes what
was not known; `collect` lists what there is to compare, `diff` finds what differs.
"""

from store.services.reconciliation.repair import Report, compare, repair
from store.services.reconciliation.schedule import CatchUp, left, run, run_since_last

__all__ = ["CatchUp", "Report", "compare", "left", "repair", "run", "run_since_last"]
