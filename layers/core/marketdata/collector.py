"""How often Python's garbage collector looks for unused objects in cycles.

`composition` imports this module before the large libraries. While they load, the collector would
examine their objects many times and find nothing: with Python's defaults the api's import took a
tenth longer (measured). So it is rare until `composition.start_process` sets `COLLECT_AFTER`.
"""

from __future__ import annotations

import gc

# The objects of a slot live until its end and form no cycles. With Python's default thresholds the
# garbage collector examines all of them many times. At 10,000 symbols that took nearly half of the
# time of a plan.
COLLECT_AFTER = (50_000, 20, 100)
_WHILE_LOADING = (500_000, 20, 100)

gc.set_threshold(*_WHILE_LOADING)
