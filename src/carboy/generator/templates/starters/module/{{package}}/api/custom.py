"""JSON in, JSON out: the smallest view that checks what it is sent."""

from carboy import Blueprint, public
from flask import current_app
from marshmallow import fields, validate

custom = Blueprint("custom", __name__, url_prefix="/custom", tags=["Custom"])

NAME = {"name": fields.String(required=True, validate=validate.Length(1, 80))}
MESSAGE = {"message": fields.String(required=True)}


@custom.get("")
@public
@custom.output(MESSAGE)
def greet_everybody() -> dict[str, str]:
    """Greet as the setting MSG says."""
    return {"message": current_app.config["MSG"]}


@custom.post("")
@public
@custom.input(NAME)
@custom.output(MESSAGE)
def greet(data: dict[str, str]) -> dict[str, str]:
    """Greet whoever is named."""
    return {"message": f"Hello, {data['name']}!"}
