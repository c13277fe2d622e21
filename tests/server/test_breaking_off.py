"""A stream that fails midway is seen to be broken, on a real connection."""

import http.client

import pytest

APP = """
from flask import Flask
from marshmallow import Schema, fields
from carboy import Carboy, export

class Out(Schema):
    id = fields.Integer()

app = Flask(__name__)
Carboy(app)

def rows():
    yield [{"id": 1}]
    raise ConnectionError("the database went away")

@app.get("/lines")
def lines():
    return export(rows(), Out(), format="ndjson")
"""


def test_a_stream_that_fails_is_no_short_file(serve):
    server = serve(APP)
    connection = server.connect()
    connection.request("GET", "/lines")
    answer = connection.getresponse()
    assert answer.status == 200
    with pytest.raises(http.client.IncompleteRead) as caught:
        answer.read()
    assert caught.value.partial in (b"", b'{"id":1}\n')
    connection.close()
