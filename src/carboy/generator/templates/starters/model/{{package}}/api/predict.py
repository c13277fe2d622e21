"""POST /predict: rows in, predictions out."""

from typing import Any

from carboy import Blueprint
from marshmallow import Schema, fields, validate

from ..handlers.classifier import FEATURES, classifier_of_app

ROWS_MAX = 1000
_CM_MAX = 100

predict = Blueprint("predict", __name__, url_prefix="/predict", tags=["Predictions"])

Flower = Schema.from_dict(
    {
        name: fields.Float(required=True, validate=validate.Range(0, _CM_MAX, min_inclusive=False))
        for name in FEATURES
    },
    name="Flower",
)


class PredictionIn(Schema):
    """Flowers to tell the species of."""

    rows = fields.List(fields.Nested(Flower), required=True, validate=validate.Length(1, ROWS_MAX))


class PredictionOut(Schema):
    """The species of one flower."""

    label = fields.String(required=True)
    probability = fields.Float(required=True, validate=validate.Range(0, 1))


class PredictionsOut(Schema):
    """The species of all of them, in their order."""

    model_version = fields.String(required=True)
    predictions = fields.List(fields.Nested(PredictionOut), required=True)


@predict.post("")
@predict.input(PredictionIn)
@predict.output(PredictionsOut)
def predict_rows(data: dict[str, Any]) -> dict[str, Any]:
    """Tell the species of up to 1000 flowers at once. @requires() would close it."""
    classifier = classifier_of_app()
    return {
        "model_version": classifier.version,
        "predictions": classifier.predict(data["rows"]),
    }
