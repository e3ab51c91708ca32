"""The simulated market: one price process behind five servers with the providers' wire formats.

It is for development and tests. Formats, quotas, errors and oddities are those of the providers.
Prices are invented. The simulator does not depend on how the service works.
"""

from local.simulator.faults import KINDS, MOVES, Fault
from local.simulator.market import Market
from local.simulator.records import Call, Move, Planted
from local.simulator.servers import MarketServers

__all__ = ["KINDS", "MOVES", "Call", "Fault", "Market", "MarketServers", "Move", "Planted"]
