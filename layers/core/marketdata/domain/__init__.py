"""Types and rules. Pure: nothing here talks to Redis or to a provider."""
