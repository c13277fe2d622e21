"""Guessing is slow, and the owner of the account gets in."""

import pytest

from carboy import LoginThrottle
from carboy.errors import TooManyRequests, Unavailable

DAY_S = 86_400
HOME, CAFE = "192.0.2.1", "198.51.100.7"


@pytest.fixture
def app(make_app):
    return make_app()


@pytest.fixture
def sign_in(app):
    """Try to sign in from an address; True, False, or the error code."""
    throttle = LoginThrottle()

    def sign_in(account="ann", *, right=False, address=HOME, device=None):
        with app.test_request_context(environ_base={"REMOTE_ADDR": address}):
            try:
                attempt = throttle.begin(account, device=device)
            except TooManyRequests as error:
                return error.code
            if right:
                attempt.succeeded()
            return right

    return sign_in


def strangers(count):
    return [f"203.0.{number // 250}.{number % 250}" for number in range(count)]


def test_after_failures_the_next_attempt_waits_ever_longer(app, sign_in, clock):
    waits, failures = [], 0
    throttle = LoginThrottle(per_account="10000/day", per_address="10000/day")
    with app.test_request_context(environ_base={"REMOTE_ADDR": HOME}):
        while failures <= 50:
            try:
                throttle.begin("ann")
                failures += 1
            except TooManyRequests as refused:
                waits.append(int(refused.headers["Retry-After"]))
                clock.now += waits[-1]
    assert waits[0] <= 61
    longest = [max(waits[:number]) for number in (1, 3, 5, len(waits))]
    assert all(
        minimum <= wait for minimum, wait in zip((55, 500, 2500, 40_000), longest, strict=True)
    )
    assert longest == sorted(set(longest))


def test_a_success_forgets_the_failures(sign_in):
    for _ in range(5):
        assert [sign_in() for _ in range(4)] == [False] * 4
        assert sign_in(right=True) is True


@pytest.mark.parametrize("account", ["ann", "ANN", " ann ", "\uff41nn"])
def test_one_account_is_one_however_it_is_written(sign_in, account):
    for _ in range(5):
        sign_in("ann")
    assert sign_in(account) == "too_many_attempts"


def test_guesses_from_many_addresses_meet_the_limit_of_the_account(sign_in):
    answers = [sign_in(address=address) for address in strangers(200)]
    assert answers.count(False) == 30
    assert answers[-1] == "too_many_attempts"


def test_the_owner_gets_in_from_a_known_place_during_an_attack(sign_in, clock):
    assert sign_in(right=True) is True
    clock.now += 30 * DAY_S
    for address in strangers(200):
        sign_in(address=address)
    assert sign_in(right=True, address=CAFE) == "too_many_attempts"
    assert sign_in() is False, "a typing error is no lockout either"
    assert sign_in(right=True) is True


def test_a_place_is_forgotten_after_its_time(sign_in, clock):
    assert sign_in(right=True) is True
    clock.now += 95 * DAY_S
    for address in strangers(200):
        sign_in(address=address)
    assert sign_in(right=True) == "too_many_attempts"


def test_a_known_device_gets_in_from_any_address_during_an_attack(sign_in):
    assert sign_in(right=True, device="phone") is True
    for address in strangers(200):
        sign_in(address=address)
    assert sign_in(right=True, address=CAFE, device="phone") is True


def test_a_device_that_is_strange_to_the_account_makes_no_room(sign_in):
    answers = [sign_in(device=f"made up {number}") for number in range(10)]
    assert answers.count(False) == 5


def test_a_reset_password_makes_a_new_place_known(app, sign_in):
    for address in strangers(200):
        sign_in(address=address)
    assert sign_in(right=True, address=CAFE) == "too_many_attempts"
    with app.test_request_context(environ_base={"REMOTE_ADDR": CAFE}):
        LoginThrottle().remember("ann")
    assert sign_in(right=True, address=CAFE) is True


def test_one_address_that_tries_many_accounts_is_refused(sign_in):
    answers = [sign_in(f"account {number}") for number in range(40)]
    assert answers.count(False) == 20


def test_an_own_account_buys_no_guesses_at_others(sign_in):
    guesses = 0
    for number in range(60):
        sign_in("mallory", right=True)
        guesses += sign_in(f"victim {number}") is False
    assert guesses == 20


def test_neighbours_of_an_attacker_still_get_in_where_they_are_known(sign_in):
    assert sign_in(right=True) is True
    for number in range(40):
        sign_in(f"account {number}")
    assert sign_in("bob", right=True) == "too_many_attempts"
    assert sign_in(right=True) is True


def test_attempts_are_counted_before_they_are_judged(app):
    throttle = LoginThrottle()
    with app.test_request_context(environ_base={"REMOTE_ADDR": HOME}):
        begun = [throttle.begin("ann") for _ in range(5)]
        with pytest.raises(TooManyRequests):
            throttle.begin("ann")
        begun[0].succeeded()
        throttle.begin("ann")


def test_nobody_tries_uncounted(app, break_counters):
    throttle = LoginThrottle()
    with app.test_request_context(environ_base={"REMOTE_ADDR": HOME}):
        begun = throttle.begin("ann")
        break_counters(app)
        with pytest.raises(Unavailable) as refused:
            throttle.begin("ann")
        assert refused.value.headers["Retry-After"]
        begun._limiter.counters = app.extensions["carboy.limits"].counters
        assert begun.succeeded() is None, "who has the right password gets in"
        throttle.remember("ann")


def test_no_name_of_an_account_is_stored(app):
    with app.test_request_context(environ_base={"REMOTE_ADDR": HOME}):
        LoginThrottle().begin("ann@example.com").succeeded()
    kept = app.extensions["carboy.limits"].counters._counters._parts
    assert kept
    assert not any("ann" in key for key in kept)
