"""What the API answers, as bytes and plain data: joined from the cache, and only from the cache.

Nothing here knows of HTTP or of a framework, and nothing here can reach a provider.
"""
