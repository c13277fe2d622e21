"""What a WSGI server imports: ``carboy run wsgi:app``, ``gunicorn wsgi:app``, ``flask run``."""

from app import app

__all__ = ["app"]
