"""What may be computed, kept and sent under the chosen policy."""
