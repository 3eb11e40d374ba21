"""SQLite: lessons, summaries, alerts."""
