"""What this machine has, what is installed, what is wrong, and what mends it."""
