"""All that the app's screens get from the rest of MedPocket.

A module here is plain functions (or one class) without widgets: they take and return frozen values, raise
MedpocketError, and may take their time. A screen calls them through `in_thread`.
"""
