# ruff: noqa: E501 - tables of what is tried
"""What could be wrong with the fast lane, one line at a time: what the fuzzer must see.

Name → module, a text that is in it once, and what stands there instead.
"""

MATCHING = {
    "a slash that is missing is not asked for": ("matching", "if rule.strict_slashes:\n                raise _Unsure", "if False:\n                raise _Unsure"),
    "a lax rule with a slash is forgotten": ("matching", "for rule in node.slashed:", "for rule in ():"),
    "a lax rule without a slash is forgotten": ("matching", "if not part and at + 1 == len(parts):", "if False:"),
    "a strict rule takes a slash to spare": ("matching", "not rule.strict_slashes\n", "True\n"),
    "what is fixed does not come first": ("matching", "    if child is not None:\n        found", "    if child is not None and not node.dynamic:\n        found"),
    "any method is right": ("matching", "    for rule in node.rules:\n        if (rule.methods is None or method in rule.methods)", "    for rule in node.rules:\n        if True"),
    "redirects are views": ("rules", "        and rule.redirect_to is None\n", ""),
    "aliases are rules": ("rules", "        and not rule.alias\n", ""),
    "defaults do not redirect": ("rules", "        and not any(other.defaults for other in url_map._rules_by_endpoint[rule.endpoint])\n", ""),
    "converters of the project are known": ("rules", 'type(converter) in _CONVERTERS and "to_python" not in vars(converter)', "True"),
    "values in another order": ("matching", "values + groups, method", "groups + values, method"),
    "a path is one part": ("matching", "rest = [] if final else parts[at + 1 :]", "rest = parts[at + 1 :]"),
    "an empty part is one": ("matching", "return bool  # parts have no slash in them", "return lambda part: True"),
    "known for GET": ("matching", "known[path] = route", 'self.known["GET"][path] = route'),
    "values are remembered": ("matching", "if route.plain:", "if True:"),
    "converters may be asked twice": ("matching", "all(map(converts_plainly, rules))", "True"),
    "values are text": ("rules", "        return int\n", "        return str\n"),
    "the only way is straight on": ("matching", "if not part or (child is not None and node.dynamic):", "if child is not None and node.dynamic:"),
    "the first way is the only one": ("matching", "if not part or (child is not None and node.dynamic):", "if not part:"),
    "rules that come later are not seen": ("map", 'self._changes + 1\n        vars(self)["prepared"] = None', "self._changes + 1"),
}  # fmt: skip

LANE = {
    "two slashes are regular": ("lane", 'regular = path[:1] == "/" and path[1:2] != "/"', 'regular = path[:1] == "/"'),
    "what is no UTF-8 is left out": ("lane", 'decode(errors="replace")', 'decode(errors="ignore")'),
    "a session is not opened": ("lane", 'if plan.opens_sessions or plan.cookie in environ.get("HTTP_COOKIE", ""):', "if plan.opens_sessions:"),
    "a hook may not choose the rule": ("lane", "or request.url_rule is not route.rule\n                            or request.routing_exception is not None", ""),
    "OPTIONS are for the view": ("lane", 'request.method == "OPTIONS"\n', "False\n"),
    "OPTIONS are for the view at once": ("lane", 'or method == "OPTIONS"', ""),
    "nobody handles what is not found": ("lane", "and not plan.is_handled(_NOT_FOUND, 404)", ""),
    "a view stays what it was": ("lane", "view = plan.view_functions[route.rule.endpoint]", "view = route.view or plan.view_functions[route.rule.endpoint]"),
    "a wrong method is not found": ("lane", "if not miss.have_match_for and", "if"),
    "an error is forgotten": ("lane", "            error = raised\n            response", "            response"),
    "an error that ends all is forgotten": ("lane", "            error = raised\n            raise", "            raise"),
    "the environment keeps the request": ("lane", '            environ["werkzeug.request"] = None', "            pass"),
    "a request knows no rule": ("making", "if route is not None:", "if False:"),
    "a session is opened for another rule": ("lane", "context.made.url_rule, context.made.view_args = route.rule, values", "pass"),
    "a session knows no rule": ("lane", "made.url_rule, made.view_args = found[0].rule, found[1]", "pass"),
    "a context is left behind": ("lane", "_reset_app(app_context.token if app_tokens is None else app_tokens.pop())", "pass"),
    "a context is left behind in short": ("lane", "            _reset_app(app_token)\n", ""),
    "nothing is torn down": ("lane", "            or plan.teardown\n", ""),
    "nothing of the app is torn down": ("lane", "plan.teardown_app != plan.idle or", ""),
    "a context within is not popped": ("lane", "            or context.pushed is not None\n", ""),
    "files are forgotten": ("lane", "            or (made is not None and made._carboy_form_read)\n", ""),
    "contexts within contexts are not minded": ("lane", "(tokens is not None and len(tokens) != 1)", "False"),
    "there was no first request": ("lane", "if not app._got_first_request:", "if False:"),
}  # fmt: skip

ANSWERS = {
    "a session is not saved": ("answering", "or context.opened is not None", ""),
    "after this request nothing": ("answering", "or context.after", ""),
    "nobody is told of the end": ("answering", "or plan.finished", ""),
    "hooks after are not called": ("answering", "plan.after\n", "False\n"),
    "HEAD has a body": ("answering", '[] if context.environ["REQUEST_METHOD"] == "HEAD" else [body]', "[body]"),
    "no content has a length": ("answering", "and code not in _SHORT", ""),
    "all is not found alike": ("answering", 'and "description" not in vars(value)', ""),
    "HEAD has a body, in a response": ("response", '        or environ["REQUEST_METHOD"] == "HEAD"\n', ""),
    "a location is sent as it is": ("response", "elif lower in _LOCATIONS and not", "elif False and not"),
    "every location is plain": ("response", "_PATH.fullmatch(location) is not None", "True"),
    "several locations are sent": ("response", '        and len(response.headers.getlist("Location")) == 1\n', ""),
    "no length is added": ("response", "    if not length:\n", "    if False:\n"),
    "a response without content has a body": ("response", "        or response._status_code in _SHORT\n", ""),
    "JSON stays sorted": ("provider", "super().__setattr__(name, value)\n        vars(self)[SET] = object()", "super().__setattr__(name, value)"),
    "JSON is always sorted": ("json_bytes", "_SORTED if manner.sort else _AS_IT_IS", "_SORTED"),
    "DEL is text": ("json_bytes", 'and b"\\x7f" not in body', ""),
    "letters stay what they are": ("json_bytes", "(not ascii_only or (body.isascii()", "(True or (body.isascii()"),
    "small numbers": ("plainness", "_LEAST: Final = 1e-4", "_LEAST: Final = 1e-9"),
    "kinds of data are data": ("plainness", "kind = type(value)\n", "kind = next((each for each in (bool, str, int, float, dict) if isinstance(value, each)), type(value))\n"),
    "every float is usual": ("plainness", "_LEAST <= abs(number) < _TOO_LARGE or number == 0", "True"),
    "every list is usual": ("plainness", "for item in value:", "for item in ():"),
    "every dictionary is usual": ("plainness", "for item in members.values():", "for item in ():"),
    "JSON is compact": ("json_bytes", "            and provider.compact is not False\n", ""),
    "JSON is compact in debug mode": ("provider", "type(context) is RequestContext\n            and context.app.json is self\n            and", ""),
    "numbers are rounded": ("json_bytes", "_MAY_NOT_FIT in data.translate(_DIGITS_TO_ZERO)", "False"),
}  # fmt: skip

REQUESTS = {
    "chunks have a length": ("reading", '        or "HTTP_TRANSFER_ENCODING" in environ\n', ""),
    "there is no limit": ("reading", "return limit is None or length <= limit", "return True"),
    "a body may end early": ("reading", "raise ClientDisconnected\n", "pass\n"),
    "anything is JSON": ("reading", 'force or own["environ"].get("CONTENT_TYPE") == _JSON', "True"),
    "files stay open": ("request", "self._carboy_form_read = True", "pass"),
    "the root has a slash": ("making", '_decoded(root).rstrip("/")', "_decoded(root)"),
    "what was read is read again": ("reading", 'own["_carboy_length"] = length', "pass"),
}  # fmt: skip

HOOKS = {
    "hooks after in their order": ("hooks", "for function in reversed(functions[name]):\n                    response", "for function in functions[name]:\n                    response"),
    "hooks that tear down in their order": ("hooks", "for function in reversed(functions[name]):\n                    callable_of", "for function in functions[name]:\n                    callable_of"),
    "the app's in their order": ("hooks", "for function in reversed(functions):", "for function in functions:"),
    "inner blueprints first": ("hooks", "(None, *reversed(blueprints))", "(None, *blueprints)"),
    "nothing is no answer": ("hooks", "if answer is not None:", "if answer:"),
    "a null session is saved": ("hooks", "if not interface.is_null_session(session):", "if True:"),
    "an attribute may change": ("flask", "if name in ATTRIBUTES:", "if False:"),
    "a context that is pushed tells nobody": ("lane", "        or plan.pushed\n", ""),
    "an upgrade is nothing": ("lane", '        or "HTTP_UPGRADE" in environ\n', ""),
    "a context around is nothing": ("lane", "        or _get_app(None) is not None\n", ""),
    "any scheme will do": ("plan", 'environ.get("wsgi.url_scheme") not in ("http", "https")', "False"),
    "the configuration stays": ("config", "        if key in READ:\n            self._tell()", "        pass"),
}  # fmt: skip

MUTANTS = MATCHING | LANE | ANSWERS | REQUESTS | HOOKS
