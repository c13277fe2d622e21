"""Django's settings and models, for the two peers on it.

Connections stay open, one per thread, which is quicker than the pool. No middleware is on:
neither peer needs any of it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import django
from django.conf import settings

TEMPLATES = Path(__file__).parent / "templates"


def database() -> dict[str, Any]:
    """Turn the database's address into what Django calls a database."""
    url = urlsplit(os.environ["DATABASE_URL"])
    if url.scheme.startswith("sqlite"):
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": url.path[1:],
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                "timeout": 30,
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA synchronous = NORMAL",
            },
        }
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": url.path[1:],
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": url.hostname,
        "PORT": url.port or 5432,
        "CONN_MAX_AGE": None,
    }


def configure(root: str, apps: list[str]) -> None:
    """Set Django up.

    :param root: the module with the addresses.
    """
    settings.configure(
        DEBUG=False,
        SECRET_KEY="for a benchmark on this machine only",  # noqa: S106
        ALLOWED_HOSTS=["127.0.0.1", "api.example.com"],
        ROOT_URLCONF=root,
        APPEND_SLASH=False,
        MIDDLEWARE=[],
        INSTALLED_APPS=apps,
        DATABASES={"default": database()},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        USE_I18N=False,
        TEMPLATES=[{"BACKEND": "django.template.backends.jinja2.Jinja2", "DIRS": [TEMPLATES]}],
        REST_FRAMEWORK={
            "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
            "DEFAULT_PARSER_CLASSES": [
                "rest_framework.parsers.JSONParser",
                "rest_framework.parsers.MultiPartParser",
            ],
            "DEFAULT_AUTHENTICATION_CLASSES": [],
            "DEFAULT_PERMISSION_CLASSES": [],
            "UNAUTHENTICATED_USER": None,
        },
    )
    django.setup()
