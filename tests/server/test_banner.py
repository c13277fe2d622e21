from types import SimpleNamespace

import pytest

from carboy.server.banner import announce


@pytest.mark.parametrize(
    ("terminal", "given", "told"),
    [
        pytest.param(True, ("Development", 80, True), ["127.0.0.1:80", "/docs"], id="a person"),
        pytest.param(True, ("Development", 80, False), ["127.0.0.1:80"], id="a person, no docs"),
        pytest.param(True, ("Production", 80, True), [], id="a terminal in Production: the log"),
        pytest.param(False, ("Development", 80, True), [], id="no terminal: the log"),
        pytest.param(
            False, ("Production", 0, True), ["Listening at http://0.0.0.0:80"], id="port 0"
        ),
    ],
)
def test_whoever_needs_to_know_is_told(monkeypatch, capsys, terminal, given, told):
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    profile, port, docs = given
    settings = SimpleNamespace(APP_ENV=profile, HTTP_PORT=port, API_DOCS=docs)
    announce(settings, ("0.0.0.0", 80))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(told)
    for line, part in zip(lines, told, strict=True):
        assert part in line
