"""`make day`: a day of the whole service in minutes, with all that goes wrong in one, and judged.

Redis, provider code, senders and yfinance are the real ones; the market is the simulated one with
its quotas and sessions. Only time is not: it stands still while a step runs and is moved between
steps. What comes out are figures with targets, and an exit code that says whether they were met.
"""
