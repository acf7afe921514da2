"""The evaluation report, measured: how large, how fast and how often right models are, and which to take for what."""
