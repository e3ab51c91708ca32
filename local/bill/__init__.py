"""What a month on AWS costs, item by item, and what other designs would cost."""
