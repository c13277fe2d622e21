"""Migrations that several instances may start at once, and that leave nothing half-done.

Alembic does the work, Flask-Alembic brings it to the app; added here are a lock, one
transaction on every engine, and messages that name the remedy.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask, g
from flask_alembic import Alembic
from flask_alembic.extension import _Cache
from sqlalchemy import Connection, MetaData, TypeDecorator

from carboy.backing.policy import Policy
from carboy.backing.scripts import turn, usual_folder
from carboy.errors import CarboyError

_log = logging.getLogger(__name__)


class Migrations(Alembic):
    """Flask-Alembic with a lock around everything that changes the database.

    :param policy: the database to migrate.
    """

    def __init__(self, metadata: MetaData, policy: Policy) -> None:
        with _loggers_left_alone():
            super().__init__(run_mkdir=False, command_name="", metadatas=metadata)
        self._policy = policy

    def init_app(self, app: Flask) -> None:
        """Register on an app, also on one that has served requests, as a test may have it.

        The original registers a teardown, which is refused then, and which ends a database
        in memory by throwing its connection away; :meth:`release` stands in for it.
        """
        app.extensions["alembic"] = self
        config = app.config.setdefault("ALEMBIC", {})
        config.setdefault("path_separator", "os")
        config.setdefault("script_location", str(usual_folder(app)))
        config.setdefault("version_locations", [])
        context = app.config.setdefault("ALEMBIC_CONTEXT", {})
        context.setdefault("compare_server_default", True)
        # One set of scripts serves both engines: SQLite alters a table by rebuilding it.
        context.setdefault("render_as_batch", True)
        context.setdefault("transactional_ddl", True)
        context.setdefault("on_version_apply", _check_references)
        context.setdefault("render_item", _rendered)
        self._cache[app] = _Cache()

    def release(self) -> None:
        """Give the connections of this app context back."""
        cache = self._get_cache()
        for context in (cache.contexts or {}).values():
            if context.connection is not None:
                context.connection.close()
        cache.contexts = cache.ops = None

    def start(self, *, upgrade: bool, allow_newer: bool) -> None:
        """Bring the database and this code together, or refuse.

        :param upgrade: apply what is pending; else pending migrations refuse the start.
        :param allow_newer: accept migrations that this code does not know.
        :raises CarboyError: naming the remedy.
        """
        with self.alone():
            self._policy.prove_writable()
            if not self.folder.is_dir():
                return
            current = set(self.migration_context.get_current_heads())
            if self._unknown(current):
                if not allow_newer:
                    raise self._newer(current)
                _log.warning("The database has migrations that this code does not know.")
            elif current != set(self.script_directory.get_heads()):
                if not upgrade:
                    raise CarboyError(
                        "The database lacks migrations. Apply them with `flask db upgrade`, "
                        "or set DATABASE_UPGRADE=true."
                    )
                self.upgrade()

    def run_migrations(self, fn: Callable[..., Any], **kwargs: Any) -> None:
        """See Flask-Alembic; waits until no other instance migrates."""
        with self.alone():
            connection = self.migration_context.connection
            assert connection is not None  # noqa: S101 - there is no offline mode here
            with self._policy.migrating(connection):
                super().run_migrations(fn, **kwargs)

    def upgrade(self, target: Any = "heads") -> None:
        """See Flask-Alembic.

        :raises CarboyError: when the database is newer than this code.
        """
        with self.alone():
            self._refuse_newer()
            super().upgrade(target)

    def downgrade(self, target: Any = -1) -> None:
        """See Flask-Alembic.

        :raises CarboyError: when the database is newer than this code.
        """
        with self.alone():
            self._refuse_newer()
            super().downgrade(target)

    def revision(self, *args: Any, **kwargs: Any) -> Any:
        """See Flask-Alembic; makes the folder when this is the first one."""
        self.mkdir()
        return super().revision(*args, **kwargs)

    @property
    def folder(self) -> Path:
        """Where the migrations of the current app are."""
        return Path(str(self.config.get_main_option("script_location")))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other instances from migrating; what holds the lock may enter again."""
        if "carboy_migrating" in g:
            yield
            return
        with turn(self._policy):
            g.carboy_migrating = True
            try:
                yield
            finally:
                g.pop("carboy_migrating")
                self.release()

    def _unknown(self, revisions: set[str]) -> set[str]:
        known = {script.revision for script in self.script_directory.walk_revisions()}
        return revisions - known

    def _refuse_newer(self) -> None:
        if not self.folder.is_dir():
            raise CarboyError(
                f"There are no migrations in {self.folder}. "
                "Make the first with: flask db revision MESSAGE"
            )
        current = set(self.migration_context.get_current_heads())
        if self._unknown(current):
            raise self._newer(current)

    def _newer(self, current: set[str]) -> CarboyError:
        unknown = ", ".join(sorted(self._unknown(current)))
        return CarboyError(
            f"The database is newer than this code: it has migration {unknown}, which is not in "
            f"{self.folder}. Deploy the release that made it, or run `flask db downgrade` with "
            "that release; after a rollback with compatible migrations set "
            "DATABASE_ALLOW_NEWER=true."
        )


def migrations_of(app: Flask, metadata: MetaData, policy: Policy) -> Migrations:
    """Give the app's migrations, made on first use: importing Alembic takes a third of a second."""
    found = app.extensions.get("alembic")
    if not isinstance(found, Migrations):
        found = Migrations(metadata, policy)
        found.init_app(app)
    return found


def _rendered(kind: str, item: Any, context: Any) -> Any:
    """Write the type of a column as what the database holds.

    A migration outlives the code of the types that a project or this package defines, and
    would have to import it.
    """
    if kind == "type" and isinstance(item, TypeDecorator):
        from alembic.autogenerate.render import _repr_type  # only those who write one pay for it

        return _repr_type(item.impl_instance, context)
    return False


def _check_references(*, ctx: Any, **_details: Any) -> None:
    """Refuse a migration that leaves rows referring to nothing, where that is not checked yet."""
    connection: Connection = ctx.connection
    if connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise CarboyError(
            f"The migration would leave rows in {broken[0]} that refer to missing rows in "
            f"{broken[2]}. Nothing was changed; correct the migration."
        )


@contextmanager
def _loggers_left_alone() -> Iterator[None]:
    """Undo the handlers Flask-Alembic adds: with them, every line would come twice."""
    loggers = [logging.getLogger(name) for name in ("alembic", "sqlalchemy")]
    before = [(logger.level, list(logger.handlers)) for logger in loggers]
    try:
        yield
    finally:
        for logger, (level, handlers) in zip(loggers, before, strict=True):
            logger.setLevel(level)
            logger.handlers[:] = handlers
