"""Statements that run again and again in one request, where one would do ("N+1")."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from typing import Any, ClassVar

from flask import Flask, has_request_context, request
from sqlalchemy import Engine, event
from sqlalchemy.orm import ORMExecuteState, RelationshipProperty, Session, sessionmaker

__all__ = ["WATCH", "Repeat", "Watch", "watched"]

WATCH = "carboy.repeats"
"""Where the extensions of an app have its watch."""

_PROFILES = frozenset({"Development", "Testing"})

LOADS_MAX = 3
"""Objects whose relatives may be loaded one by one."""
REPEATS_MAX = 10
"""How often one statement may run otherwise."""

_COUNTS, _RELATION = "carboy.repeats", "carboy_relation"
_KEPT = 100
_log = logging.getLogger(__name__)


def watched(app: Flask, engine: Engine, sessions: sessionmaker[Session]) -> Watch | None:
    """Count statements in Development and in tests; anywhere else nobody listens."""
    if app.config.get("APP_ENV") not in _PROFILES:
        return None
    watch: Watch = app.extensions.setdefault(WATCH, Watch(app, engine, sessions))
    return watch


@dataclass
class Repeat:
    """A statement that one request runs again and again.

    :ivar view: endpoint of the request.
    :ivar relation: the attribute that loads, such as ``Order.customer``; empty: the code asks.
    """

    view: str
    statement: str
    relation: str
    count: int = 0

    def __str__(self) -> str:
        if self.relation:
            owner = self.relation.partition(".")[0]
            found = f"{self.relation} was loaded {self.count} times, once for each object"
            remedy = f"select({owner}).options(selectinload({self.relation}))"
        else:
            found = f"the same statement ran {self.count} times"
            remedy = "one statement for all, such as select(…).where(column.in_(…))"
        return f"In {self.view} {found}: {self.statement} Instead: {remedy}."


class Watch:
    """Counts the statements of each request of one app.

    :cvar listeners: how many it adds for each event.
    :ivar found: the last ones that were repeated; who reads them may clear them.
    """

    listeners: ClassVar[dict[str, int]] = {"before_cursor_execute": 1, "do_orm_execute": 1}

    def __init__(self, app: Flask, engine: Engine, sessions: sessionmaker[Session]) -> None:
        self.found: deque[Repeat] = deque(maxlen=_KEPT)
        self._warns = app.config.get("APP_ENV") == "Development"
        event.listen(engine, "before_cursor_execute", self._executed)
        event.listen(sessions, "do_orm_execute", self._note_relation)

    def saw(self, statement: str, relation: str = "") -> None:
        """Count a statement that is about to run."""
        if not has_request_context() or not statement.lstrip().startswith(("SELECT", "WITH")):
            return
        counts: dict[str, Repeat] = request.environ.setdefault(_COUNTS, {})
        known = counts.get(relation or statement)
        if known is None:
            view = request.endpoint or request.path
            shown = " ".join(statement.split())
            known = counts[relation or statement] = Repeat(view, shown, relation)
        known.count += 1
        if known.count == (LOADS_MAX if relation else REPEATS_MAX):
            self.found.append(known)
            if self._warns:
                _log.warning("%s", known)

    def _executed(self, *told: Any) -> None:
        _, _, statement, _, context, _ = told
        options: Any = {} if context is None else context.execution_options
        self.saw(statement, options.get(_RELATION, ""))

    def _note_relation(self, state: ORMExecuteState) -> None:
        if not state.is_select or state.lazy_loaded_from is None:
            return
        path: Any = state.loader_strategy_path or ()
        relations = [str(each) for each in path if isinstance(each, RelationshipProperty)]
        relation = relations[-1] if relations else ""
        state.update_execution_options(**{_RELATION: relation})
