"""What a WSGI server imports: ``carboy run wsgi:app``, ``gunicorn wsgi:app``, ``flask run``."""

from shop import create_app

app = create_app()
