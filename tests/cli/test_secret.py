from carboy.settings import Production


def test_a_key_is_long_new_each_time_and_alone_on_its_line(carboy):
    first, second = (carboy("secret").stdout for _ in range(2))
    assert first != second
    assert first.count("\n") == 1
    assert len(first.strip()) == 64


def test_production_takes_the_key(carboy):
    key = carboy("secret").stdout.strip()
    environ = {"APP_ENV": "prod", "SECRET_KEY": key, "TRUSTED_HOSTS": "*"}
    assert key == Production.load(environ=environ, dotenv=None).SECRET_KEY
