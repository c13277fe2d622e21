import logging
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import MetaData, String, TypeDecorator, inspect, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from carboy.api.auth import UserMixin
from carboy.backing.database import Database
from carboy.backing.migrations import migrations_of
from carboy.errors import CarboyError

CREATE = """
    op.create_table("shelves", sa.Column("id", sa.Integer, primary_key=True))
    op.create_table("books", sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("shelf_id", sa.Integer, sa.ForeignKey("shelves.id", ondelete="CASCADE")))
    op.execute("INSERT INTO shelves VALUES (1)")
    op.execute("INSERT INTO books VALUES (1, 1)")
"""
REBUILD = """
    with op.batch_alter_table("shelves", recreate="auto") as table:
        table.add_column(sa.Column("label", sa.String(20), nullable=False, server_default=""))
        table.create_check_constraint("short", "length(label) < 10")
"""
FAIL = """
    op.create_table("half", sa.Column("id", sa.Integer, primary_key=True))
    op.execute("INSERT INTO half VALUES (1)")
    op.execute("SELECT nonsense FROM nowhere")
"""
ORPHAN = """
    op.create_table("half", sa.Column("id", sa.Integer, primary_key=True))
    op.execute("DELETE FROM shelves")
"""
DROP = """
    op.drop_table("books")
    op.drop_table("shelves")
"""


def write(folder, number, body, back="pass"):
    """Write migration *number*, which follows the one before."""
    folder.mkdir(exist_ok=True)
    before = repr(str(number - 1)) if number > 1 else None
    head = "import sqlalchemy as sa\nfrom alembic import op\n"
    (folder / f"{number}.py").write_text(
        f"{head}revision = '{number}'\ndown_revision = {before}\n"
        f"def upgrade():\n{textwrap.indent(textwrap.dedent(body), '    ')}\n"
        f"def downgrade():\n{textwrap.indent(textwrap.dedent(back), '    ')}\n"
    )


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "migrations"
    write(made, 1, CREATE, DROP)
    return made


@pytest.fixture
def app(make_app, url):
    return make_app(DATABASE_URL=url, DATABASE_UPGRADE=True)


def start(app):
    with app.app_context():
        for hook in app.extensions["carboy.start"]:
            hook()


def tables(app):
    with app.app_context():
        return set(inspect(app.db.engine).get_table_names())


def run(app, *args):
    return app.test_cli_runner().invoke(args=["db", *args])


def scalar(app, statement):
    with app.app_context():
        return app.db.session.scalar(text(statement))


def test_a_start_applies_what_is_pending(app, folder):
    start(app)
    start(app)
    assert tables(app) == {"alembic_version", "books", "shelves"}


def test_a_start_without_the_setting_refuses_and_names_the_command(make_app, url, folder):
    app = make_app(DATABASE_URL=url, DATABASE_UPGRADE=False)
    with pytest.raises(CarboyError, match="flask db upgrade"):
        start(app)
    assert run(app, "upgrade").exit_code == 0
    start(app)
    assert "books" in tables(app)


def test_a_project_without_migrations_starts_and_none_are_made(app, tmp_path):
    start(app)
    assert not (tmp_path / "migrations").exists()
    assert tables(app) == set()
    assert "alembic" not in app.extensions  # which takes long to be imported


def test_a_start_applies_migrations_that_are_elsewhere(app, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    write(elsewhere, 1, CREATE, DROP)
    app.config["ALEMBIC"] = {"script_location": str(elsewhere)}
    start(app)
    assert tables(app) == {"alembic_version", "books", "shelves"}


def test_a_start_leaves_no_connection_to_forked_workers(app, folder):
    start(app)
    with app.app_context():
        assert app.db.engine.pool.checkedin() + app.db.engine.pool.checkedout() == 0


@pytest.fixture
def newer(app, folder):
    """A database that a later release has migrated."""
    write(folder, 2, "pass")
    start(app)
    (folder / "2.py").unlink()
    return app


def test_a_database_newer_than_the_code_is_refused(newer, make_app, url):
    app = make_app(DATABASE_URL=url, DATABASE_UPGRADE=True)
    with pytest.raises(CarboyError, match="newer than this code: it has migration 2") as caught:
        start(app)
    assert "DATABASE_ALLOW_NEWER=true" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_newer_database_is_accepted_on_request(newer, make_app, url, caplog):
    start(make_app(DATABASE_URL=url, DATABASE_ALLOW_NEWER=True))
    assert "does not know" in caplog.text


@pytest.mark.parametrize("command", ["upgrade", "downgrade"])
def test_a_newer_database_is_one_line_on_the_command_line(newer, make_app, url, command):
    done = run(make_app(DATABASE_URL=url), command)
    assert done.exit_code == 1
    assert done.output.startswith("Error: The database is newer than this code")
    assert done.output.count("\n") == 1


def test_a_failing_migration_leaves_nothing_half_done(app, folder):
    start(app)
    write(folder, 2, "op.create_table('whole', sa.Column('id', sa.Integer))")
    write(folder, 3, FAIL)
    with app.app_context():
        app.extensions["alembic"].release()
    app.extensions.pop("alembic")
    done = run(app, "upgrade")
    assert done.exit_code == 1
    assert "nonsense" in done.output or "nowhere" in done.output
    assert done.output.count("\n") == 1
    assert tables(app) == {"alembic_version", "books", "shelves"}
    assert scalar(app, "SELECT version_num FROM alembic_version") == "1"


def test_a_failing_migration_refuses_the_start(app, folder):
    write(folder, 2, FAIL)
    with pytest.raises(CarboyError, match="cannot be"):
        start(app)
    assert tables(app) == set()


def test_the_traceback_is_shown_in_debug(app, folder, monkeypatch):
    write(folder, 2, FAIL)
    monkeypatch.setenv("FLASK_DEBUG", "1")
    done = run(app, "upgrade")
    assert done.exit_code == 1
    assert not isinstance(done.exception, SystemExit)


def test_rebuilding_a_table_keeps_the_rows_that_refer_to_it(app, folder):
    write(folder, 2, REBUILD)
    start(app)
    assert scalar(app, "SELECT count(*) FROM books") == 1
    assert scalar(app, "SELECT label FROM shelves") == ""


def test_foreign_keys_are_on_again_after_a_migration(app, folder, on_sqlite):
    start(app)
    assert run(app, "upgrade").exit_code == 0
    with app.app_context():
        migrations = migrations_of(app, app.db.metadata, app.extensions["carboy.database"])
        migrations.upgrade()
        assert app.db.session.scalar(text("PRAGMA foreign_keys")) == 1


def test_a_migration_that_breaks_references_is_undone(app, folder, on_sqlite):
    write(folder, 2, ORPHAN)
    with pytest.raises(CarboyError, match="rows in books that refer to missing rows in shelves"):
        start(app)
    assert tables(app) == set()


def test_a_database_in_memory_survives_its_migrations(make_app, folder):
    app = make_app(DATABASE_URL="sqlite://", DATABASE_UPGRADE=True)
    start(app)
    assert scalar(app, "SELECT count(*) FROM books") == 1


def test_down_and_up_again(app, folder):
    start(app)
    assert run(app, "downgrade").exit_code == 0
    assert tables(app) == {"alembic_version"}
    assert run(app, "upgrade").exit_code == 0
    assert "books" in tables(app)


@pytest.mark.parametrize(
    ("target", "left"),
    [
        pytest.param("1790000001", {"books", "shelves"}, id="down to a revision, itself a number"),
        pytest.param("1", {"books", "shelves"}, id="one step"),
        pytest.param("2", set(), id="two steps"),
        pytest.param("base", set(), id="all the way"),
    ],
)
def test_a_downgrade_counts_steps_or_names_a_revision(app, folder, target, left):
    (folder / "1.py").unlink()
    for number, (body, back) in enumerate(
        [(CREATE, DROP), ("op.create_table('more', sa.Column('id', sa.Integer))",
                          "op.drop_table('more')")], 1
    ):  # fmt: skip
        write(folder, number, body, back)
        path = folder / f"{number}.py"
        text = path.read_text().replace(f"= '{number}'", f"= '179000000{number}'")
        path.write_text(text.replace("= '1'", "= '1790000001'"))
    assert run(app, "upgrade").exit_code == 0
    done = run(app, "downgrade", target)
    assert done.exit_code == 0, done.output
    assert tables(app) - {"alembic_version"} == left


def test_the_first_revision_is_written_from_the_models(app, models, tmp_path):
    done = run(app, "revision", "first tables")
    assert done.exit_code == 0
    (script,) = (tmp_path / "migrations").glob("*.py")
    assert "one_of_each_name" in script.read_text()
    app.extensions.pop("alembic")
    assert run(app, "upgrade").exit_code == 0
    assert run(app, "check").output == "No changes detected.\n"
    with app.app_context():
        assert app.db.session.scalars(select(models.User)).all() == []


def test_a_revision_needs_no_code_of_the_types_in_the_models(make_app, url, tmp_path):
    """Whoever changes or drops a type later can still run it."""

    class Base(DeclarativeBase):
        metadata = MetaData()

    class Shouted(TypeDecorator):
        impl = String(20)
        cache_ok = True

    class User(UserMixin, Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str] = mapped_column(Shouted)

    app = make_app(Database(Base), DATABASE_URL=url)
    assert run(app, "revision", "users").exit_code == 0
    (script,) = (tmp_path / "migrations").glob("*.py")
    written = script.read_text()
    assert "sa.Column('disabled_at', sa.DateTime(timezone=True), nullable=True)" in written
    assert "sa.Column('name', sa.String(length=20), nullable=False)" in written
    assert run(app, "upgrade").exit_code == 0
    assert run(app, "check").output == "No changes detected.\n"


def test_upgrading_without_migrations_says_how_to_make_one(app):
    done = run(app, "upgrade")
    assert done.exit_code == 1
    assert "flask db revision MESSAGE" in done.output


def test_an_unknown_target_is_one_line(app, folder):
    done = run(app, "upgrade", "nowhere")
    assert done.exit_code == 1
    assert done.output.startswith("Error: Can't locate revision")


def test_a_place_that_cannot_be_written_is_one_line(make_app, folder, tmp_path):
    (tmp_path / "instance").write_text("")
    done = run(make_app(), "upgrade")
    assert done.exit_code == 1
    assert "cannot be opened for writing" in done.output
    assert done.output.count("\n") == 1


def test_commands_work_after_requests_and_are_listed(app, folder):
    assert app.test_client().get("/").status_code == 404
    assert "upgrade" in run(app, "--help").output
    assert run(app, "current").exit_code == 0


@pytest.mark.parametrize(("layout", "expected"), [
    pytest.param(["shop/__init__.py"], "migrations", id="beside the package of the app"),
    pytest.param(["shop/__init__.py", "shop/web/__init__.py"], "migrations",
                 id="beside the outermost package"),
    pytest.param([], "shop/migrations", id="beside the module, without a package"),
])  # fmt: skip
def test_the_folder_is_where_the_code_is(tmp_path, layout, expected, models):
    (tmp_path / "shop" / "web").mkdir(parents=True)
    for name in layout:
        (tmp_path / name).touch()
    root = tmp_path / Path(layout[-1]).parent if layout else tmp_path / "shop"
    app = Flask("shop", root_path=str(root))
    app.config.update(
        DATABASE_URL="sqlite://", DATABASE_POOL_SIZE=1, DATABASE_TIMEOUT_S=1, GUNICORN_THREADS=1
    )
    db = Database(models.Model, app)
    with app.app_context():
        migrations = migrations_of(app, db.metadata, app.extensions["carboy.database"])
        assert migrations.folder == tmp_path / expected


def test_log_handlers_stay_as_they_were(app, folder):
    loggers = [logging.getLogger(name) for name in ("alembic", "sqlalchemy")]
    before = [list(logger.handlers) for logger in loggers]
    start(app)
    assert [list(logger.handlers) for logger in loggers] == before


INSTANCE = """
    import logging, sys
    from flask import Flask
    from sqlalchemy import MetaData
    from carboy.backing.database import Database
    logging.getLogger("alembic.runtime.plugins").setLevel("WARNING")
    logging.basicConfig(level="INFO", stream=sys.stdout, format="%(message)s")
    sys.stdout.reconfigure(line_buffering=True)
    app = Flask("instance", root_path=sys.argv[2])
    app.config.update(DATABASE_URL=sys.argv[1], DATABASE_POOL_SIZE=1, DATABASE_TIMEOUT_S=5,
                      GUNICORN_THREADS=1, DATABASE_UPGRADE=True)
    Database(MetaData(), app)
    with app.app_context():
        for hook in app.extensions["carboy.start"]:
            hook()
"""


def test_four_instances_starting_together_migrate_once(app, folder, url, tmp_path):
    command = [sys.executable, "-c", textwrap.dedent(INSTANCE), url, str(tmp_path)]
    with app.app_context():
        migrations = migrations_of(app, MetaData(), app.extensions["carboy.database"])
        with migrations.alone():
            instances = [
                subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                for _ in range(4)
            ]
            waiting = [instance.stdout.readline() for instance in instances]
    said = [instance.communicate(timeout=60)[0].decode() for instance in instances]
    assert all(b"waiting for it" in line for line in waiting)
    assert [instance.returncode for instance in instances] == [0] * 4, said
    assert sum("Running upgrade  -> 1" in output for output in said) == 1
    assert scalar(app, "SELECT count(*) FROM books") == 1


def test_a_killed_instance_leaves_no_lock(app, folder, url, tmp_path):
    holding = INSTANCE.replace(
        "for hook in app.extensions",
        "from carboy.backing.migrations import migrations_of\n"
        "        policy = app.extensions['carboy.database']\n"
        "        alone = migrations_of(app, MetaData(), policy).alone()\n"
        "        alone.__enter__(); print('holds it'); sys.stdin.read()\n"
        "        for hook in app.extensions",
    )
    command = [sys.executable, "-c", textwrap.dedent(holding), url, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE) as instance:
        assert instance.stdout.readline() == b"holds it\n"
        instance.kill()
        instance.wait(30)
    start(app)
    assert "books" in tables(app)


def test_flask_db_upgrade_in_a_terminal(url, folder, tmp_path):
    (tmp_path / "wsgi.py").write_text(
        textwrap.dedent(f"""
        from flask import Flask
        from sqlalchemy import MetaData
        from carboy.backing.database import Database
        app = Flask(__name__)
        app.config.update(DATABASE_URL={url!r}, DATABASE_POOL_SIZE=1, DATABASE_TIMEOUT_S=5,
                          GUNICORN_THREADS=1)
        Database(MetaData(), app)
        """)
    )
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"]
    environ = {name: value for name, value in os.environ.items() if name != "FLASK_DEBUG"}
    done = subprocess.run(
        command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
