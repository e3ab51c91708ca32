"""The simulated market: one price process behind five servers with the providers' wire formats.

It is for development and tests. It promises the providers' formats, quotas, errors and traps; it
does not promise their prices, and it refuses to know anything about the program that asks it.
"""

from local.simulator.faults import KINDS, Fault
from local.simulator.market import Market
from local.simulator.records import Call, Jump, Planted
from local.simulator.servers import MarketServers

__all__ = ["KINDS", "Call", "Fault", "Jump", "Market", "MarketServers", "Planted"]
