"""Market data from unreliable, quota-bound providers, told honestly.

The modules beside this file are pure: they say what things are and which rules hold. `cache`
is all that talks to Redis, `providers` all that talks to a provider.
"""
