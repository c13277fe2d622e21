"""gunicorn or granian, set up from settings: it starts, serves and stops an app.

The process that was started becomes gunicorn's master and keeps its id, so signals
mean what they mean to a program started with ``exec``.
"""
