"""What a stored lesson was like."""
