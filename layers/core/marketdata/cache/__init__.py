"""Everything that talks to Redis, and nothing that talks to anything else.

Every key is `<prefix>:{<tag>}:...`; the tag is what Redis in cluster mode places a key by, so keys
that one request or script touches together share a tag.
"""
