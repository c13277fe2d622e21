"""Addresses, queries, headers and methods, odd ones and those there are."""

import re
from urllib.parse import quote

from .endpoints import DOING, TARGETS, over
from .values import HEADERS, IN_PATHS, ODD


@over([target for target in DOING if target.variables])
def test_no_address_leads_outside_or_breaks_the_service(send, target):
    for variable in target.variables:
        for value in IN_PATHS:
            answer = send(target, values={variable: value}, note=value)
            assert b"root:" not in answer.get_data(), value


@over(DOING)
def test_no_query_breaks_the_service(send, target):
    for name in [*target.names("query"), "unknown", "__proto__", "a\r\nb\0[]"]:
        for note, value in ODD.items():
            pair = f"{quote(name)}={quote(value)}"
            for query in (pair, f"{pair}&{pair}", f"{pair},{quote(value)}"):
                send(target, query=f"?{query}", note=(name, note))
    for query in ("%", "%ff=%fe", "&&&===", "=" * 1000, "a[b][c]=1", "a" * 50_000):
        send(target, query=f"?{query}", note=query[:20])


@over(DOING)
def test_no_header_breaks_the_service(send, target):
    for name in {*HEADERS, *target.names("header")}:
        for note, value in ODD.items():
            key = name.upper().replace("-", "_")
            key = key if key == "CONTENT_LENGTH" else f"HTTP_{key}"
            # As WSGI hands bytes to an application (PEP 3333).
            raw = value.encode().decode("latin-1")
            send(target, note=(name, note), environ={key: raw})


@over([target for target in DOING if target.method == "GET"])
def test_head_is_get_without_the_body(send, target):
    whole = send(target)
    head = send(target, method="HEAD")
    changing = {"Date", "X-Request-ID"}
    assert head.status_code == whole.status_code
    assert head.get_data() == b""
    assert {name: value for name, value in head.headers if name not in changing} == {
        name: value for name, value in whole.headers if name not in changing
    }


@over([target for target in TARGETS if target.method == "OPTIONS"])
def test_options_names_the_methods_there_are(send, target):
    answer = send(target)
    known = {one.method for one in TARGETS if one.rule == target.rule}
    assert {word.strip() for word in answer.headers["Allow"].split(",")} >= known


@over([target for target in TARGETS if target.method == "OPTIONS"])
def test_another_method_is_refused_with_the_list_of_those_there_are(send, target):
    shape = re.sub(r"\{\w+\}", "1", target.path)
    known = {one.method for one in TARGETS if re.sub(r"\{\w+\}", "1", one.path) == shape}
    others = {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "A" * 500}
    for method in sorted(others - known):
        answer = send(target, method=method, note=method)
        assert answer.status_code == 405, method
        assert set(answer.headers["Allow"].split(", ")) <= known


@over([target for target in DOING if target.collections and target.described])
def test_the_addresses_lead_to_what_is_there(send, target):
    """Else the laws above would hold because nothing is found."""
    answer = send(target, json=target.body())
    assert answer.status_code != 404, answer.text
