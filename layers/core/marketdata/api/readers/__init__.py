"""The content of the answers, as bytes and plain data, read from the cache only.

No module here uses HTTP or FastAPI, and none can reach a provider.
"""
