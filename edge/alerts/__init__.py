"""Rules, and the state machine that raises and clears."""
