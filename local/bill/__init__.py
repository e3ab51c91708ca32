"""The costs of a month on AWS, item by item, and the costs of other designs."""
