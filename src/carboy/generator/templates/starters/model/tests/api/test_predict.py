"""POST /predict."""

import pytest

SETOSA = {
    "sepal_length_cm": 5.1,
    "sepal_width_cm": 3.5,
    "petal_length_cm": 1.4,
    "petal_width_cm": 0.2,
}
VIRGINICA = {
    "sepal_length_cm": 6.3,
    "sepal_width_cm": 3.3,
    "petal_length_cm": 6.0,
    "petal_width_cm": 2.5,
}


def test_rows_are_answered_in_their_order(client):
    answer = client.post("/predict", json={"rows": [SETOSA, VIRGINICA, SETOSA]})
    assert answer.status == 200
    labels = [one["label"] for one in answer.data["predictions"]]
    assert labels == ["setosa", "virginica", "setosa"]
    assert all(0.5 < one["probability"] <= 1 for one in answer.data["predictions"])


def test_a_row_is_answered_alike_alone_and_among_others(client):
    alone = client.post("/predict", json={"rows": [SETOSA]}).data
    among = client.post("/predict", json={"rows": [VIRGINICA] * 999 + [SETOSA]}).data
    assert len(among["predictions"]) == 1000
    assert among["predictions"][-1]["label"] == alone["predictions"][0]["label"]
    assert among["predictions"][-1]["probability"] == pytest.approx(
        alone["predictions"][0]["probability"]
    )
    assert among["model_version"] == alone["model_version"]


def test_the_version_is_that_of_the_model(client, app):
    answer = client.post("/predict", json={"rows": [SETOSA]})
    assert answer.data["model_version"] == app.extensions["classifier"].version


@pytest.mark.parametrize(
    ("sent", "named"),
    [
        pytest.param({}, "rows", id="no rows"),
        pytest.param({"rows": []}, "rows", id="an empty list"),
        pytest.param({"rows": [SETOSA] * 1001}, "rows", id="too many rows"),
        pytest.param({"rows": SETOSA}, "rows", id="a row that is no list"),
        pytest.param({"rows": [{**SETOSA, "colour": 1}]}, "rows", id="an unknown measure"),
        pytest.param({"rows": [{**SETOSA, "petal_width_cm": "wide"}]}, "rows", id="a word"),
        pytest.param({"rows": [{**SETOSA, "petal_width_cm": None}]}, "rows", id="null"),
        pytest.param({"rows": [{**SETOSA, "petal_width_cm": 0}]}, "rows", id="nothing"),
        pytest.param({"rows": [{**SETOSA, "petal_width_cm": 1e9}]}, "rows", id="too much"),
        pytest.param({"rows": [SETOSA], "version": 2}, "version", id="an unknown field"),
    ],
)
def test_what_the_model_cannot_answer_is_refused(client, sent, named):
    answer = client.post("/predict", json=sent)
    assert answer.status == 422
    assert answer.json["data"].keys() == {named}


def test_the_row_that_is_wrong_is_named(client):
    answer = client.post("/predict", json={"rows": [SETOSA, {"petal_width_cm": 1}]})
    assert answer.status == 422
    assert answer.json["data"]["rows"].keys() == {"1"}


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        pytest.param(b'{"rows": [', "application/json", 400, id="JSON that ends early"),
        pytest.param(b'{"rows": [NaN]}', "application/json", 400, id="not a number"),
        pytest.param(b"5.1,3.5,1.4,0.2", "text/csv", 415, id="not JSON"),
    ],
)
def test_what_cannot_be_read_is_refused(client, body, kind, status):
    answer = client.post("/predict", body=body, headers={"Content-Type": kind})
    assert answer.status == status
