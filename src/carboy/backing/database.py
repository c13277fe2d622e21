"""``Database``: sessions, engines and migrations of an app, from its settings."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy
from flask import Flask, current_app, g
from flask.sansio.app import App
from flask_sqlalchemy_lite import SQLAlchemy
from sqlalchemy import MetaData, Select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Session

from carboy.backing.address import READING, has_settings, policy_for, reads_now, the_app
from carboy.backing.commands import DatabaseCommands, models_of
from carboy.backing.direct import Lane
from carboy.backing.enclosure import Enclosure, enclosed
from carboy.backing.faults import translate
from carboy.backing.isolation import isolated
from carboy.backing.policy import Policy, quiet_plugins
from carboy.backing.records import Record, Records
from carboy.backing.repeats import watched
from carboy.backing.scripts import may_exist, turn
from carboy.backing.streaming import Rows
from carboy.backing.writing import writing
from carboy.errors import SettingsError
from carboy.fast.flask.context import of_globals

if TYPE_CHECKING:
    from carboy.backing.migrations import Migrations

__all__ = ["Database"]

_KEY, _LANE = "carboy.database", "carboy.lane"


class Database(SQLAlchemy):
    """The app's database: SQLite by default, PostgreSQL by ``DATABASE_URL``.

    Flask-SQLAlchemy-Lite underneath, so :attr:`session`, :attr:`engine`,
    :meth:`get_or_abort` and the rest are its own. A session belongs to the app context
    and is closed at its end; what was not committed is rolled back.

    :param models: the declarative base, or its metadata.
    :param app: the app, when it exists already.
    :param engine_options: more for :func:`sqlalchemy.create_engine`.
    :param session_options: more for :class:`sqlalchemy.orm.sessionmaker`.
    """

    metadata: MetaData

    def __init__(
        self,
        models: MetaData | type[DeclarativeBase],
        app: App | None = None,
        *,
        engine_options: dict[str, Any] | None = None,
        session_options: dict[str, Any] | None = None,
    ) -> None:
        self.metadata = models if isinstance(models, MetaData) else models.metadata
        self._default_options = dict(engine_options or {})
        self._opening = threading.Lock()
        super().__init__(
            app,
            require_default_engine=False,
            engine_options=engine_options,
            session_options=dict(session_options or {}),
        )

    def init_app(self, app: App) -> None:
        """Register on an app, before or after ``Carboy(app)``.

        :raises SettingsError: when ``DATABASE_URL`` cannot be read; when ``Carboy(app)``
            comes later, at the first use.
        :raises CarboyError: when the driver it needs is not installed.
        """
        if not isinstance(app, Flask):
            raise TypeError(f"Database needs a Flask app, not {type(app).__name__}.")
        if "default" in app.config.get("SQLALCHEMY_ENGINES", {}):
            raise SettingsError(
                ['SQLALCHEMY_ENGINES["default"] is set in app.config. Set DATABASE_URL instead.']
            )
        teardowns = len(app.teardown_appcontext_funcs)
        shells = len(app.shell_context_processors)
        super().init_app(app)
        # The inherited one shows the models of every app in the process.
        app.shell_context_processors[shells:] = [self._shell]
        # The teardown of asynchronous sessions starts an event loop per request, which
        # takes longer than the rest of an ordinary one; mostly there are none to close.
        awaited = bool(app.config.get("SQLALCHEMY_ASYNC_ENGINES"))
        app.teardown_appcontext_funcs[teardowns:] = [
            of_globals(teardown)
            for teardown in app.teardown_appcontext_funcs[teardowns:]
            if awaited or not inspect.iscoroutinefunction(teardown)
        ]
        checks = app.extensions.setdefault("carboy.checks", {})
        checks["database"] = partial(self._check, app)
        translators = app.extensions.setdefault("carboy.translators", [])
        translators.append(partial(translate, metadata=self.metadata))
        app.extensions.setdefault("carboy.start", []).append(self._start)
        app.cli.add_command(DatabaseCommands(self._migrations, self._policy))
        if has_settings(app):
            self._open(app)

    def writing(self) -> AbstractContextManager[Session]:
        """Write in a request whose method promises not to (GET, HEAD, OPTIONS).

        Such a request begins its transactions as reading ones. SQLite can turn one into
        a writing one only while nobody else wrote; otherwise the caller gets a 503. Here
        the right to write is taken at the beginning, waiting for it if need be. What the
        session did before is committed first, and what it loaded is read again.

        Commits at the end, rolls back on an error. Not to be nested.

        :return: :attr:`session`, inside a transaction that may write.
        """
        return writing(self.session, promised=reads_now())

    def stream(self, statement: Select[Any], *, batch: int = 500) -> Rows:
        """Read any number of rows in constant memory, all as of one moment.

        They have a session of their own, which lasts until they are read or closed, also
        beyond the request. What :attr:`session` did before is committed, and its connection
        given back: a request never holds two.

        :param batch: rows held in memory at a time.
        :return: an iterator of batches; close it if it is not read to the end.
        """
        policy = self._policy()
        if self.session.in_transaction():
            self.session.commit()
        return Rows(self._get_state().sessionmaker, statement, policy.snapshot, batch)

    def rows(self, statement: Select[Any], /, **parameters: Any) -> Records:
        """Read rows as tuples with names, without objects: for what is only shown.

        They are those that :attr:`session` sees, in its transaction if it has begun one; what
        it has changed is written first.

        :param statement: of columns, or of an entity, which stands for its columns.
        :param parameters: values of its bind parameters.
        :return: a sequence; a view may return it as it is.
        :raises TypeError: if a column has no name, or two have the same.
        """
        self._policy()  # opens the lane with the engine
        lane: Lane = the_app().extensions[_LANE]
        return lane.records(self.get_session, statement, parameters)

    def row(self, statement: Select[Any], /, **parameters: Any) -> Record:
        """Read the only row of a statement; see :meth:`rows`.

        :raises NotFound: if there is none (404).
        :raises ValueError: if there are several.
        """
        return self.rows(statement, **parameters).one()

    def enclosing(self, name: str) -> AbstractContextManager[Enclosure | None]:
        """Put one transaction around code that commits :attr:`session` by itself.

        What the code commits lasts only with the ``commit()`` of what this gives; without
        one, or after an error, all of it is undone. What the session did before is committed
        first. Other sessions and engines take no part.

        :param name: held until the end, so that of all processes one is inside.
        :return: ``None`` if somebody else is.
        """
        return enclosed(self.session, self._policy(), name)

    @contextmanager
    def test_isolation(self, app: Flask | None = None) -> Iterator[None]:
        """Undo at the end what sessions commit inside.

        :param app: whose sessions; by default those of every app that has this database.

        The inherited method patches the engine; under SQLAlchemy 2.1 its commits are lasting.
        """
        with ExitStack() as undo:
            for each, state in list(self._app_state.items()):
                if app in (None, each):
                    self._open(cast("Flask", each))  # init_app took no other kind
                    undo.enter_context(isolated(state.engines["default"], state.sessionmaker))
            yield

    def _get_state(self) -> Any:
        state = super()._get_state()
        if "default" not in state.engines:
            self._open(the_app())
        return state

    def _open(self, app: Flask) -> Policy:
        """Make the engine of an app, once; nothing connects yet."""
        policy: Policy | None = app.extensions.get(_KEY)
        if policy is not None:
            return policy
        with self._opening:
            policy = app.extensions.get(_KEY)
            if policy is None:
                policy = policy_for(app)
                state = self._app_state[app]
                engine = policy.engine(**self._default_options)
                state.sessionmaker.configure(bind=engine)
                state.engines["default"] = engine
                watch = watched(app, engine, state.sessionmaker)
                app.extensions[_LANE] = Lane(engine, state.sessionmaker, policy, reads_now, watch)
                app.extensions[_KEY] = policy
            return policy

    def _policy(self) -> Policy:
        return self._open(the_app())

    def _shell(self) -> dict[str, Any]:
        """Give ``flask shell`` the database and its models by name."""
        # A person who thinks must not hold the write lock meanwhile.
        g.setdefault(READING, default=True)
        return {**models_of(self.metadata), "db": self, "sa": sqlalchemy}

    def _migrations(self) -> Migrations:
        quiet_plugins()
        from carboy.backing.migrations import migrations_of

        app = the_app()
        return migrations_of(app, self.metadata, self._open(app))

    def _check(self, app: Flask) -> None:
        self._open(app).probe()

    def _start(self) -> None:
        """Look at the database before workers are forked; leave no connection to them.

        :raises CarboyError: when it cannot be reached or written, lacks migrations, or is
            newer than the code.
        """
        policy = self._policy()
        try:
            if may_exist(the_app()):
                self._migrations().start(
                    upgrade=current_app.config.get("DATABASE_UPGRADE", False),
                    allow_newer=current_app.config.get("DATABASE_ALLOW_NEWER", False),
                )
            else:  # Alembic takes longer to be imported than an app to start
                with turn(policy):
                    policy.prove_writable()
        except (SQLAlchemyError, OSError) as error:
            raise policy.refusal(error) from error
        policy.let_go(self.engine)
