"""Everything that talks to Redis, and nothing that talks to anything else.

Every key is `<prefix>:{<tag>}:...`. In cluster mode Redis chooses the node of a key by its tag, so
keys that one request or script uses together share a tag.
"""
