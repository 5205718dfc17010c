"""The process engine. These modules are its public names; the web application imports nothing else of it."""

__all__ = [
    "bundles",
    "cases",
    "catalogue",
    "database",
    "deployments",
    "errors",
    "feel",
    "forms",
    "history",
    "identity",
    "incidents",
    "instances",
    "jobs",
    "notices",
    "replay",
    "states",
    "tables",
    "user_tasks",
    "worker",
]
