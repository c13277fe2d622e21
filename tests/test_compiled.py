from importlib.machinery import EXTENSION_SUFFIXES

from carboy import compiled
from carboy.crate import crate


def test_sources_are_told_from_machine_code(monkeypatch, tmp_path):
    monkeypatch.setattr(compiled, "__file__", str(tmp_path / "compiled.py"))
    (tmp_path / "crate").mkdir()
    (tmp_path / "crate" / "crate.py").touch()
    assert not compiled.is_compiled()
    (tmp_path / "crate" / f"crate{EXTENSION_SUFFIXES[0]}").touch()
    assert compiled.is_compiled()


def test_it_tells_what_is_imported():
    assert compiled.is_compiled() == (not crate.__file__.endswith(".py"))
