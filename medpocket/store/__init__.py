"""The history: every question and answer, in one SQLite file, searchable, and encrypted where its owner locks it."""
