"""All words that the staff reads."""
