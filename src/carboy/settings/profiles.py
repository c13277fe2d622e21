"""What each environment sets differently."""

from __future__ import annotations

from collections.abc import Iterator

from carboy.settings.values import Settings

_PLACEHOLDERS = ("change", "secret", "example", "password", "placeholder", "insecure", "12345")
_DIFFERENT_CHARACTERS_MIN = 10


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


class Production(Settings):
    """For the public: what is missing or weak stops the start."""

    profile = "Production"

    LOG_FORMAT = "json"

    def problems(self) -> Iterator[str]:
        """See :meth:`Settings.problems`; adds what only the public side demands."""
        yield from super().problems()
        if self.SECRET_KEY is None:
            yield "SECRET_KEY is not set. Make one with: carboy secret"
        elif _looks_weak(self.SECRET_KEY):
            yield "SECRET_KEY looks guessable. Make one with: carboy secret"
        if self.DEBUG:
            yield "DEBUG is on in Production: answers would show tracebacks. Unset DEBUG."
        if self.RELOAD:
            yield "RELOAD is on in Production. Unset RELOAD."
        if not self.TRUSTED_HOSTS:
            yield (
                "TRUSTED_HOSTS is not set. Name the hosts this service answers to, such as "
                "TRUSTED_HOSTS=api.example.com, or * when a proxy in front checks them."
            )


def _looks_weak(key: str) -> bool:
    lowered = key.lower()
    return len(set(key)) < _DIFFERENT_CHARACTERS_MIN or any(
        word in lowered for word in _PLACEHOLDERS
    )


BY_NAME: dict[str, type[Settings]] = {
    "": Development,
    "dev": Development,
    "development": Development,
    "prod": Production,
    "production": Production,
    "test": Testing,
    "testing": Testing,
}
