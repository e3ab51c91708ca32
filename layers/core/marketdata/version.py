"""The version of the service, the one in pyproject.toml; a test compares them.

The package is deployed as a folder, without the metadata of an installed distribution.
"""

VERSION = "0.2.0"
