"""The price loop: plan a slot, fetch its jobs, commit their results."""
