"""Everything that talks to a provider: one prefix for each, one HTTP helper, one registry."""
