"""``carboy run``."""

from __future__ import annotations

import click

from carboy.cli.invocation import Invocation


@click.command()
@click.argument("app", metavar="[MODULE:APP]", required=False)
@click.option("--reload", is_flag=True, help="Restart when a source file changes.")
@click.pass_obj
def run(invocation: Invocation, app: str | None, *, reload: bool) -> None:
    """Serve an app with gunicorn, or granian (SERVER).

    MODULE:APP names a Flask app or a function that makes it, such as shop:create_app.
    Without it, FLASK_APP, wsgi.py and app.py are tried.

    Everything else is a setting: address (HTTP_HOST), port (HTTP_PORT), processes
    (WEB_CONCURRENCY), threads (GUNICORN_THREADS) … `carboy settings` lists them:

    \b
      HTTP_PORT=9000 carboy run shop:app

    SIGTERM stops it: /health/ready turns 503, requests in flight are answered, exit status
    0. Ctrl-C stops it at once.

    Exit status: 0 stopped as asked; 1 it could not start, as when the port is in use, or
    its workers crash one after the other; 2 the app or a setting is wrong; 4 a worker could
    not load the app.
    """  # noqa: D301 - \b is the mark click knows
    from carboy.server import running  # gunicorn and Flask take their time

    running.run(app or invocation.app, reload=reload, debug=invocation.debug)
