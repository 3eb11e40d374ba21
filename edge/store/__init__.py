"""SQLite: lessons, and all that is known of them."""
