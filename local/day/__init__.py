"""`make day`: simulate a day of the service in minutes, with faults, and judge it.

Redis, provider code, senders and yfinance are the real ones. The market is the simulated one, with
its quotas and trading hours. The clock of the day does not move while a step runs; it is set
forward between steps. The result is a table of figures with targets, and an exit code that says
whether all were met.
"""
