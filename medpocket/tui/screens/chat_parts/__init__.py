"""What the chat screen does, one thing per file; `screens/chat.py` puts them together."""
