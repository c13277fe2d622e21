"""Bodies: malformed, of other types, with odd values and names in every place.

Whatever arrives, the answer is no failure of the server, tells nothing of the inside, wears the
envelope, carries a request id, and is what the OpenAPI document says (``_as_documented``).
"""

import json

from .endpoints import DOING, WITH_JSON, over, places, put
from .values import MALFORMED, ODD, TYPES, WRONG


@over(WITH_JSON)
def test_a_body_that_is_no_object_in_json_is_refused(send, target):
    for note, body in MALFORMED.items():
        answer = send(target, note=note, data=body, content_type="application/json")
        assert 400 <= answer.status_code < 500, (note, answer.text)


@over(WITH_JSON)
def test_no_field_of_a_body_takes_what_breaks_the_service(send, target):
    whole = target.body()
    for at in places(whole):
        for note, value in (ODD | WRONG).items():
            send(
                target,
                note=f"{at}: {note}",
                data=json.dumps(put(whole, at, value)),
                content_type="application/json",
            )


@over(WITH_JSON)
def test_no_name_of_a_field_breaks_the_service(send, target):
    whole = target.body()
    for note, name in ODD.items():
        body = json.dumps({**whole, name: name})
        send(target, note=note, data=body, content_type="application/json")


@over(DOING)
def test_no_content_type_breaks_the_service(send, target):
    for kind in TYPES:
        for body in (
            b"",
            b"a=%00&b=%ff",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n',
        ):
            send(
                target,
                note=(kind, body),
                data=body,
                environ={"CONTENT_TYPE": kind},
            )


@over(DOING)
def test_no_field_of_a_form_breaks_the_service(send, target):
    for name in [*target.form_fields(), "unknown", "a\r\nb"]:
        for note, value in ODD.items():
            for kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
                send(
                    target,
                    note=(name, note, kind),
                    data={name: value},
                    content_type=kind,
                )


@over(WITH_JSON)
def test_the_laws_reach_the_inside(send, target):
    """Else they would all hold because nobody is let in."""
    answer = send(target, json=target.body())
    assert answer.status_code in (200, 201, 204, 409), answer.text
