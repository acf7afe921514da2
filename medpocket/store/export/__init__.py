"""What leaves the history: text for people, and JSON that can be imported again."""
