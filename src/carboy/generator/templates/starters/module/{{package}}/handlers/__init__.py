"""The work itself, without HTTP: what views and commands call, and tests can."""
