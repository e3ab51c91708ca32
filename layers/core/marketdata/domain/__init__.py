"""What things are and which rules hold: pure, and imports only errors and clock."""
