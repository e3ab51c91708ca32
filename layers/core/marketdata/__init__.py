"""Quotes and asset lists from five providers, in one format, without misleading values.

Only `cache` talks to Redis, and only `providers` talks to providers. `domain` has the types and
rules, `prices` and `lists` the two loops, `api` the REST API.
"""
