"""Mistakes in the settings of authentication."""

import pytest

from carboy.errors import SettingsError
from carboy.settings import Settings

ISSUER = {"JWT_ISSUER": "https://a.example/", "JWT_AUDIENCE": ("me",), "JWT_JWKS": "/keys.json"}


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        ({**ISSUER, "JWT_AUDIENCE": ()}, "Name this service as the issuer does"),
        ({**ISSUER, "JWT_JWKS": ""}, "Name the URL or file"),
        ({**ISSUER, "JWT_ALGORITHMS": ("RS256", "HS256")}, "may not have HS256"),
        ({**ISSUER, "JWT_ALGORITHMS": ("none",)}, "may not have none"),
        ({**ISSUER, "JWT_ALGORITHMS": ()}, "may not have nothing"),
        ({**ISSUER, "JWT_JWKS": "http://a.example/keys"}, "Use https"),
        ({**ISSUER, "JWT_JWKS": "ftp://localhost/keys"}, "neither an http URL nor a path"),
        ({"AUTH_SESSION_IDLE_S": 100, "AUTH_SESSION_MAX_S": 99}, "Make it shorter"),
    ],
)
def test_a_mistake_names_its_remedy(given, remedy):
    with pytest.raises(SettingsError, match=remedy):
        Settings.load(environ={}, dotenv=None, **given)


@pytest.mark.parametrize(
    "where", ["https://a.example/keys", "http://localhost:1/keys", "keys.json"]
)
def test_keys_are_at_an_address_or_in_a_file(where):
    loaded = Settings.load(environ={}, dotenv=None, **{**ISSUER, "JWT_JWKS": where})
    assert where == loaded.JWT_JWKS
