"""A plugin of pytest's that asks the matcher of the fast lane wherever Werkzeug's is asked.

What it says must be what Werkzeug says; where it says nothing, nothing is said of it. How often it
said something is written.
"""

from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter
from werkzeug.routing.exceptions import RoutingException

from carboy.fast.flask.matching import Routes

GENUINE = MapAdapter.match
SAID = []


def found(adapter, path_info, method, websocket):
    """Ask as the lane does: of an app that matches paths, not hosts."""
    routes = adapter.map
    websocket = adapter.websocket if websocket is None else websocket
    if routes.host_matching or websocket or adapter.subdomain != routes.default_subdomain:
        return None
    routes.update()
    rules = len(list(routes.iter_rules()))
    if vars(routes).get("prepared", (0,))[0] != rules:
        routes.prepared = rules, Routes(routes)
    path = adapter.path_info if path_info is None else path_info
    asked = (method or adapter.default_method).upper()
    return routes.prepared[1].find(f"/{path.lstrip('/')}" if path else "", asked)


def match(self, path_info=None, method=None, return_rule=False, query_args=None, websocket=None):  # noqa: FBT002, PLR0917 - Werkzeug's signature
    ours = found(self, path_info, method, websocket)
    SAID.append(ours is not None)
    try:
        rule, values = GENUINE(self, path_info, method, True, query_args, websocket)  # noqa: FBT003
    except (HTTPException, RoutingException):
        assert ours is None, f"{path_info}: {ours}"
        raise
    if ours is not None:
        assert ours[0].rule is rule
        assert list(map(repr, ours[1].items())) == list(map(repr, values.items()))
    return rule if return_rule else rule.endpoint, values


MapAdapter.match = match


def pytest_sessionfinish(session):
    print(f"said {sum(SAID)} of {len(SAID)}")  # noqa: T201 - read by the test that runs this
