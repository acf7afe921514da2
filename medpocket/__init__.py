"""MedPocket: a clinician's assistant that never leaves the machine."""

__version__ = "0.1.0"
