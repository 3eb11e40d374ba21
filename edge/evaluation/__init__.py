"""How good the shipped models are, on data with known labels."""
