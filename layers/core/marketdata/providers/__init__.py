"""Everything that talks to a provider. The modules of a provider begin with its name."""
