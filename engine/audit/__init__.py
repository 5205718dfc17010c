"""What auditors see and can prove: replay, overview, sealed checkpoints, verification, evidence, event logs.

These modules are the package's public names; the web application imports nothing else of it.
"""

__all__ = [
    "checkpoint_delivery",
    "losses",
    "moments",
    "overview",
]
