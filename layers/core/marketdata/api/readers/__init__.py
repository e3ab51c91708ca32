"""The content of the answers, as bytes or models, read from the cache only.

No module here uses HTTP or FastAPI, and none can reach a provider.
"""
