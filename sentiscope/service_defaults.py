"""Where a service is looked for and for how long, in a module that loads nothing."""

URL = "http://127.0.0.1:8000"

PATIENCE_S = 10.0
"""Seconds that a service may be away before a command gives up."""

WATCH_PATIENCE_S = 300.0
"""The same for who watches a job."""
