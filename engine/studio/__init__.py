"""What process owners change: revisions with their findings, differences, coverage and trials.

These modules are the package's public names; the web application imports nothing else of it.
"""

__all__ = [
    "deadlines",
    "decision_trials",
    "differences",
    "inspections",
    "marked_tables",
    "new_files",
    "revisions",
]
