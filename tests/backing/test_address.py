import sys

import pytest
from flask import Flask
from sqlalchemy import MetaData, text

from carboy.backing.database import Database
from carboy.errors import CarboyError, SettingsError


def opened(url, **config):
    app = Flask("shop", **config)
    app.config.update(
        DATABASE_URL=url, DATABASE_POOL_SIZE=0, DATABASE_TIMEOUT_S=0.2, GUNICORN_THREADS=2
    )
    return app, Database(MetaData(), app)


@pytest.mark.parametrize("url", [
    pytest.param("postgres://ann:hush@db.example.com/shop", id="as some platforms spell it"),
    pytest.param("postgresql://ann:hush@db.example.com/shop", id="without a driver"),
    pytest.param("postgresql+psycopg://ann:hush@db.example.com/shop", id="with the driver"),
])  # fmt: skip
def test_every_spelling_of_postgresql_means_psycopg_3(url):
    app, db = opened(url)
    with app.app_context():
        made = db.engine.url
        place = app.extensions["carboy.database"].place
    assert (made.drivername, made.password) == ("postgresql+psycopg", "hush")
    assert place == "postgresql://ann:***@db.example.com/shop"


@pytest.mark.parametrize(("url", "reason"), [
    pytest.param("hush", "is not a URL", id="no URL at all"),
    pytest.param("postgresql://ann:hush@db:hush/shop", "is not a URL", id="a port of letters"),
    pytest.param("mysql://ann:hush@db/shop", "begins with mysql://", id="another engine"),
    pytest.param("postgresql+psycopg2://ann:hush@db/shop", "psycopg2", id="another driver"),
])  # fmt: skip
def test_a_url_that_cannot_be_used_is_refused_without_repeating_it(url, reason):
    with pytest.raises(SettingsError, match=reason) as caught:
        opened(url)
    assert "hush" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_missing_driver_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(CarboyError, match=r"carboy\[postgres\]"):
        opened("postgresql://127.0.0.1/shop")


def test_an_empty_url_means_a_file_in_the_instance_folder_made_on_first_use(tmp_path):
    folder = tmp_path / "instance"
    app, db = opened("", instance_path=str(folder))
    assert not folder.exists()
    with app.app_context():
        db.session.execute(text("CREATE TABLE things (id INTEGER)"))
        db.session.commit()
        db.engine.dispose()
    assert (folder / "shop.sqlite3").is_file()


def test_the_setting_moves_the_instance_folder(tmp_path):
    app = Flask("shop")
    app.config.update(
        DATABASE_URL="", DATABASE_POOL_SIZE=0, DATABASE_TIMEOUT_S=1, GUNICORN_THREADS=1,
        INSTANCE_PATH=str(tmp_path),
    )  # fmt: skip
    db = Database(MetaData(), app)
    with app.app_context():
        assert db.engine.url.database == str(tmp_path / "shop.sqlite3")


@pytest.mark.parametrize(("url", "file"), [
    pytest.param("sqlite:///data/shop.db", "data/shop.db", id="a path"),
    pytest.param("sqlite:///file:data/shop.db?uri=true", "data/shop.db", id="a file URI"),
])  # fmt: skip
def test_a_relative_path_starts_in_the_instance_folder(tmp_path, url, file):
    app, db = opened(url, instance_path=str(tmp_path))
    with app.app_context():
        db.session.execute(text("CREATE TABLE things (id INTEGER)"))
        db.session.commit()
        db.engine.dispose()
    assert (tmp_path / file).is_file()


def test_values_of_statements_stay_out_of_tracebacks():
    app, db = opened("sqlite://")
    with app.app_context():
        assert db.engine.hide_parameters
        db.engine.dispose()
