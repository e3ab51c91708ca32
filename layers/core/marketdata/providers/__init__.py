"""All that talks to a provider: one file each, one HTTP helper, one registry."""
