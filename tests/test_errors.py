"""The two families of errors: answers of one request, and what stops a start."""

import pytest

from carboy import errors
from carboy.errors import ApiError, CarboyError, SettingsError, for_status

CLASSES = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, ApiError) and kind is not ApiError
]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
class TestEveryError:
    """Laws that hold for each class."""

    def test_has_words_of_its_own(self, kind):
        error = kind()
        assert 400 <= error.status <= 599
        assert error.message.endswith(".")
        assert error.code == error.code.lower().replace(" ", "_")
        assert str(error) == error.message

    def test_one_occurrence_may_say_more(self, kind):
        error = kind("Look.", data={"name": ["x"]}, headers={"X-Extra": "1"}, code="own")
        assert (error.message, error.code, error.data) == ("Look.", "own", {"name": ["x"]})
        assert error.headers["X-Extra"] == "1"
        assert kind().code == kind.code

    def test_is_found_by_its_status(self, kind):
        assert type(for_status(kind.status)) is kind

    def test_cites_its_source(self, kind):
        assert "RFC" in kind.__doc__

    def test_is_public(self, kind):
        assert kind.__name__ in errors.__all__


@pytest.mark.parametrize("status", [402, 418, 431, 451, 502, 504])
def test_statuses_without_a_class_get_the_standard_phrase(status):
    error = for_status(status)
    assert error.status == status
    assert error.message.endswith(".")
    assert " " not in error.code


def test_a_status_nobody_registered_still_answers():
    assert (for_status(599).code, for_status(499, "Gone away.").message) == ("error", "Gone away.")


@pytest.mark.parametrize("kind", [errors.Unavailable, errors.TooManyRequests])
def test_when_to_come_back_is_a_header(kind):
    assert kind(retry_after_s=3, headers={"X-A": "b"}).headers == {"X-A": "b", "Retry-After": "3"}
    assert kind().headers == {}


def test_a_401_says_how_to_sign_in():
    assert errors.Unauthorized().headers == {"WWW-Authenticate": "Bearer"}
    assert errors.Unauthorized(scheme='Basic realm="x"').headers["WWW-Authenticate"].startswith("B")


def test_problems_with_settings_are_one_message_and_exit_status_2():
    error = SettingsError(["A is wrong.", "B is missing."])
    assert str(error) == "A is wrong.\nB is missing."
    assert (error.exit_code, CarboyError.exit_code) == (2, 1)
