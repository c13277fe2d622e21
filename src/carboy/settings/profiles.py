"""What each environment sets differently."""

from __future__ import annotations

from collections.abc import Iterator

from carboy.settings.values import Settings

_PLACEHOLDERS = ("change", "secret", "example", "password", "placeholder", "insecure", "12345")
_TEXT_MIN = 32  # 128 bits written in hexadecimal
_BYTES_MIN = 16
_DIFFERENT_MIN = 10


class Development(Settings):
    """The default: for a person at a terminal, reachable from this machine only."""

    profile = "Development"

    HTTP_HOST = "127.0.0.1"
    TRUSTED_HOSTS = ("localhost", ".localhost", "127.0.0.1", "[::1]")
    DATABASE_UPGRADE = True


class Testing(Settings):
    """For a project's tests: quiet, exceptions reach the test, nothing is kept."""

    profile = "Testing"

    TESTING = True
    HTTP_HOST = "127.0.0.1"
    TRUSTED_HOSTS = ("localhost", ".localhost", "127.0.0.1", "[::1]")
    LOG_LEVEL = "WARNING"
    DATABASE_UPGRADE = True
    AUTH_ARGON2_MEMORY_KIB = 64
    AUTH_ARGON2_TIME_COST = 1
    AUTH_ARGON2_PARALLELISM = 1
    RATE_LIMIT_STORAGE = "memory://"


class Production(Settings):
    """For the public: what is missing or weak stops the start."""

    profile = "Production"

    LOG_FORMAT = "json"

    def problems(self) -> Iterator[str]:
        """See :meth:`Settings.problems`; adds what only the public side demands."""
        yield from super().problems()
        if self.SECRET_KEY is None:
            yield "SECRET_KEY is not set. Make one with: carboy secret"
        secrets = {"SECRET_KEY": self.SECRET_KEY, "METRICS_TOKEN": self.METRICS_TOKEN}
        for number, key in enumerate(self.SECRET_KEY_FALLBACKS, 1):
            secrets[f"SECRET_KEY_FALLBACKS (the {number}. of them)"] = key
        for name, value in secrets.items():
            weakness = _weakness(value) if value else None
            if weakness is not None:
                yield f"{name} {weakness}. Make one with: carboy secret"
        if self.DEBUG:
            yield "DEBUG is on in Production: answers would show tracebacks. Unset DEBUG."
        if self.RELOAD:
            yield "RELOAD is on in Production. Unset RELOAD."
        if not self.TRUSTED_HOSTS:
            yield (
                "TRUSTED_HOSTS is not set. Name the hosts this service answers to, such as "
                "TRUSTED_HOSTS=api.example.com, or * when a proxy in front checks them."
            )


def _weakness(secret: str | bytes) -> str | None:
    """Say why a secret could be guessed; ``None``: it could not."""
    if len(secret) < (_TEXT_MIN if isinstance(secret, str) else _BYTES_MIN):
        return f"is shorter than {_TEXT_MIN} characters"
    lowered = secret.lower() if isinstance(secret, str) else secret.lower().decode("latin-1")
    if len(set(lowered)) < _DIFFERENT_MIN or any(word in lowered for word in _PLACEHOLDERS):
        return "looks guessable"
    return None


BY_NAME: dict[str, type[Settings]] = {
    "": Development,
    "dev": Development,
    "development": Development,
    "prod": Production,
    "production": Production,
    "test": Testing,
    "testing": Testing,
}
