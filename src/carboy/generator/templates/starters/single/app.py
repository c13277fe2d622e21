"""The whole service: a greeting, a JSON endpoint, and notes that are kept."""

from carboy import Blueprint, Carboy, Database, Flask, Resource
from marshmallow import Schema, fields, validate
from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

app = Flask(__name__)
Carboy(app)  # health, metrics, logs, limits, security headers, settings
api = Blueprint("api", __name__)


@api.get("/")
def hello() -> str:
    """Greet the world."""
    return "Hello, world!"


@api.post("/custom")
@api.input({"name": fields.String(required=True, validate=validate.Length(1, 80))})
@api.output({"message": fields.String(required=True)})
def custom(data: dict[str, str]) -> dict[str, str]:
    """Greet whoever is named."""
    return {"message": f"Hello, {data['name']}!"}


class Model(DeclarativeBase):
    """Base of all models. After a change: flask db revision "what changed"."""


class Note(Model):
    """A note as it is kept."""

    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(120), unique=True)
    text: Mapped[str]


class NoteIn(Schema):
    """A note as it is sent."""

    title = fields.String(required=True, validate=validate.Length(1, 120))
    text = fields.String(load_default="", validate=validate.Length(max=10_000))


class NoteOut(NoteIn):
    """A note as it is answered."""

    id = fields.Integer(required=True)


class Notes(Resource):
    """List, create, read, replace, update and delete notes."""

    model = Note
    schema = NoteOut
    writable = NoteIn
    sort = ("title",)


api.resource("/notes", Notes)
app.register_blueprint(api)
Database(Model, app)
