"""The whole service on one machine: Redis, the loop, the API, and the simulated market."""
