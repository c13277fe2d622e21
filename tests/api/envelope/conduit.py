"""Conduit, the API of the RealWorld project: a whole service of a shape published elsewhere.

Source: https://realworld-docs.netlify.app/specifications/backend/endpoints/ (paths, names, shapes
and statuses; the code is Carboy's own).
"""

import re
import secrets

import flask
from marshmallow import Schema, fields, validate
from sqlalchemy import Column, ForeignKey, String, Table, Text, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from carboy import Auth, Blueprint, Carboy, Database, current_user, owned_by, public
from carboy.api.auth import SessionMixin, UserMixin
from carboy.api.auth.tables import Moment, now
from carboy.errors import Conflict, Forbidden, NotFound


class Model(DeclarativeBase):
    pass


follows = Table(
    "follows",
    Model.metadata,
    Column("follower_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("followed_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
)
favorites = Table(
    "favorites",
    Model.metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("article_id", ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True),
)
tagged = Table(
    "article_tags",
    Model.metadata,
    Column("article_id", ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True),
)


class User(UserMixin, Model):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(60), unique=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    bio: Mapped[str | None] = mapped_column(Text)
    image: Mapped[str | None] = mapped_column(Text)
    followed: Mapped[list["User"]] = relationship(
        secondary=follows,
        primaryjoin=lambda: User.id == follows.c.follower_id,
        secondaryjoin=lambda: User.id == follows.c.followed_id,
    )


class Session(SessionMixin, Model):
    __tablename__ = "sessions"


class Tag(Model):
    __tablename__ = "tags"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60), unique=True)


class Article(Model):
    __tablename__ = "articles"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(240), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[str] = mapped_column(Moment, default=now)
    updated_at: Mapped[str] = mapped_column(Moment, default=now, onupdate=now)
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    author: Mapped[User] = relationship()
    tags: Mapped[list[Tag]] = relationship(secondary=tagged, order_by=Tag.name)
    admirers: Mapped[list[User]] = relationship(secondary=favorites)


class Comment(Model):
    __tablename__ = "comments"
    id: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[str] = mapped_column(Moment, default=now)
    updated_at: Mapped[str] = mapped_column(Moment, default=now, onupdate=now)
    article_id: Mapped[int] = mapped_column(ForeignKey("articles.id", ondelete="CASCADE"))
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    author: Mapped[User] = relationship()


class Envelope:
    """Data as it is; what is wrong, in lines below ``errors.body``."""

    media_type = error_media_type = "application/json"
    statuses = {400: 422, 409: 422}  # noqa: RUF012 - read only

    def success(self, data, status):
        return data

    def error(self, error):
        return {"errors": {"body": list(_lines(error.data or {})) or [error.message]}}

    def success_schema(self, schema):
        return schema

    def error_schema(self, status):
        lines = {"type": "array", "items": {"type": "string"}, "minItems": 1}
        body = {"type": "object", "required": ["body"], "properties": {"body": lines}}
        return {"type": "object", "required": ["errors"], "properties": {"errors": body}}


def _lines(data, name=""):
    for key, value in data.items():
        if isinstance(value, dict):
            yield from _lines(value, str(key))
        else:
            yield from (f"{key} {said}" for said in value)


def text(**more):
    return fields.String(required=True, validate=validate.Length(min=1, max=200), **more)


class Registration(Schema):
    username = text()
    email = fields.Email(required=True)
    password = text(load_only=True)


class Credentials(Schema):
    email = text()
    password = text(load_only=True)


class UserChange(Schema):
    username = text()
    email = fields.Email(required=True)
    password = text(load_only=True)
    bio = fields.String(allow_none=True)
    image = fields.String(allow_none=True)


class UserOut(Schema):
    email = fields.String(required=True)
    token = fields.Function(lambda user: user.token, required=True, metadata={"type": "string"})
    username = fields.String(required=True)
    bio = fields.String(required=True, allow_none=True)
    image = fields.String(required=True, allow_none=True)


def is_followed(user):
    return current_user.is_authenticated and bool(
        db.session.scalar(
            select(func.count()).select_from(follows).where(
                follows.c.follower_id == current_user.id, follows.c.followed_id == user.id
            )
        )
    )  # fmt: skip


class Profile(Schema):
    username = fields.String(required=True)
    bio = fields.String(required=True, allow_none=True)
    image = fields.String(required=True, allow_none=True)
    following = fields.Function(is_followed, required=True, metadata={"type": "boolean"})


class ArticleIn(Schema):
    title = text()
    description = text()
    body = fields.String(required=True)
    tagList = fields.List(text(), load_default=list)  # noqa: N815 - that API's word


class ArticleChange(ArticleIn):
    class Meta:
        exclude = ("tagList",)


class TagOut(Schema):
    name = fields.String(required=True)


class ArticleShort(Schema):
    slug = fields.String(required=True)
    title = fields.String(required=True)
    description = fields.String(required=True)
    tagList = fields.Pluck(  # noqa: N815 - that API's word
        TagOut, "name", many=True, attribute="tags", required=True
    )
    createdAt = fields.AwareDateTime(attribute="created_at", required=True)  # noqa: N815
    updatedAt = fields.AwareDateTime(attribute="updated_at", required=True)  # noqa: N815
    favorited = fields.Function(
        lambda article: any(one.id == current_user.id for one in article.admirers),
        required=True,
        metadata={"type": "boolean"},
    )
    favoritesCount = fields.Function(  # noqa: N815
        lambda article: len(article.admirers), required=True, metadata={"type": "integer"}
    )
    author = fields.Nested(Profile, required=True)


class ArticleOut(ArticleShort):
    body = fields.String(required=True)


class Articles(Schema):
    articles = fields.List(fields.Nested(ArticleShort), required=True)
    articlesCount = fields.Integer(required=True)  # noqa: N815


class ArticleQuery(Schema):
    tag = fields.String()
    author = fields.String()
    favorited = fields.String()
    limit = fields.Integer(load_default=20, validate=validate.Range(1, 100))
    offset = fields.Integer(load_default=0, validate=validate.Range(0, 10**6))


class CommentIn(Schema):
    body = text()


class CommentOut(Schema):
    id = fields.Integer(required=True)
    createdAt = fields.AwareDateTime(attribute="created_at", required=True)  # noqa: N815
    updatedAt = fields.AwareDateTime(attribute="updated_at", required=True)  # noqa: N815
    body = fields.String(required=True)
    author = fields.Nested(Profile, required=True)


db = Database(Model.metadata)
auth = Auth(db, user=User, session=Session, scheme="Token", mail=None)
api = Blueprint("api", __name__, url_prefix="/api", envelope=Envelope(), requires=True)
own = owned_by("author_id", visible=True)


def me():
    return db.session.get(User, current_user.id)


def with_token(user, token):
    user.token = token
    return user


def user_named(username):
    user = db.session.scalar(select(User).where(User.username == username.replace("\0", "")))
    if user is None:
        raise NotFound("profile not found")
    return user


def article_at(slug):
    article = db.session.scalar(select(Article).where(Article.slug == slug.replace("\0", "")))
    if article is None:
        raise NotFound("article not found")
    return article


def tags_of(names):
    known = {tag.name: tag for tag in db.session.scalars(select(Tag).where(Tag.name.in_(names)))}
    return [known.get(name) or Tag(name=name) for name in dict.fromkeys(names)]


def refuse_taken(data, *, besides=0):
    for name in ("username", "email"):
        taken = select(User.id).where(getattr(User, name) == data.get(name), User.id != besides)
        if name in data and db.session.scalar(taken) is not None:
            raise Conflict(data={name: ["has already been taken"]})


@api.post("/users")
@public
@api.input(Registration, wrap="user")
@api.output(UserOut, 201, wrap="user")
@api.doc(errors={409: "The name or the address is taken."})
def register(data):
    """Register."""
    password_hash = auth.password_hash(data.pop("password"))
    refuse_taken(data)
    user = User(**data, password_hash=password_hash)
    db.session.add(user)
    db.session.flush()
    started = auth.begin_session(user)
    db.session.commit()
    return with_token(user, started.token)


@api.post("/users/login")
@public
@api.input(Credentials, wrap="user")
@api.output(UserOut, wrap="user")
@api.doc(errors={401: "Not such a user or password.", 429: "Too many guesses."})
def log_in(data):
    """Sign in."""
    started = auth.sign_in(data["email"], data["password"])
    user = db.session.scalar(select(User).where(User.email == data["email"]))
    return with_token(user or user_named(data["email"]), started.token)


@api.get("/user")
@api.output(UserOut, wrap="user")
def get_user():
    """Read one's own account."""
    return with_token(me(), flask.request.headers["Authorization"].split()[1])


@api.put("/user")
@api.input(UserChange, wrap="user", partial=True)
@api.output(UserOut, wrap="user")
@api.doc(errors={409: "The name or the address is taken."})
def change_user(data):
    """Change one's own account."""
    if "password" in data:
        data["password_hash"] = auth.password_hash(data.pop("password"))
    refuse_taken(data, besides=current_user.id)
    user = me()
    for name, value in data.items():
        setattr(user, name, value)
    db.session.commit()
    return with_token(user, flask.request.headers["Authorization"].split()[1])


@api.get("/profiles/<username>")
@public
@api.output(Profile, wrap="profile")
@api.doc(errors={404: "No such profile."})
def get_profile(username):
    """Read a profile."""
    return user_named(username)


@api.post("/profiles/<username>/follow")
@api.output(Profile, wrap="profile")
@api.doc(errors={404: "No such profile."})
def follow(username):
    """Follow somebody."""
    user, follower = user_named(username), me()
    if user not in follower.followed:
        follower.followed.append(user)
    db.session.commit()
    return user


@api.delete("/profiles/<username>/follow")
@api.output(Profile, wrap="profile")
@api.doc(errors={404: "No such profile."})
def unfollow(username):
    """Follow somebody no more."""
    user, follower = user_named(username), me()
    if user in follower.followed:
        follower.followed.remove(user)
    db.session.commit()
    return user


def listed(found, limit, offset):
    count = db.session.scalar(select(func.count()).select_from(found.subquery()))
    page = found.order_by(Article.id.desc()).limit(limit).offset(offset)
    return {"articles": db.session.scalars(page).all(), "articlesCount": count}


@api.get("/articles")
@public
@api.input(ArticleQuery, location="query")
@api.output(Articles)
def list_articles(query):
    """List articles, latest first."""
    found = select(Article)
    if "tag" in query:
        found = found.where(Article.tags.any(Tag.name == query["tag"]))
    if "author" in query:
        found = found.where(Article.author.has(User.username == query["author"]))
    if "favorited" in query:
        found = found.where(Article.admirers.any(User.username == query["favorited"]))
    return listed(found, query["limit"], query["offset"])


@api.get("/articles/feed")
@api.input(ArticleQuery(only=("limit", "offset")), location="query")
@api.output(Articles)
def feed(query):
    """List what those one follows wrote."""
    authors = select(follows.c.followed_id).where(follows.c.follower_id == current_user.id)
    return listed(select(Article).where(Article.author_id.in_(authors)), **query)


@api.post("/articles")
@api.input(ArticleIn, wrap="article")
@api.output(ArticleOut, 201, wrap="article")
def create_article(data):
    """Write an article."""
    words = re.sub(r"[^a-z0-9]+", "-", data["title"].lower()).strip("-")
    article = Article(
        slug=f"{words[:200]}-{secrets.token_hex(4)}",
        author_id=current_user.id,
        tags=tags_of(data.pop("tagList")),
        **data,
    )
    db.session.add(article)
    db.session.commit()
    return article


@api.get("/articles/<slug>")
@public
@api.output(ArticleOut, wrap="article")
@api.doc(errors={404: "No such article."})
def get_article(slug):
    """Read an article."""
    return article_at(slug)


@api.put("/articles/<slug>")
@api.input(ArticleChange, wrap="article", partial=True)
@api.output(ArticleOut, wrap="article")
@api.doc(errors={403: "It is somebody else's.", 404: "No such article."})
def change_article(slug, data):
    """Change an article."""
    article = own.require(article_at(slug))
    for name, value in data.items():
        setattr(article, name, value)
    db.session.commit()
    return article


@api.delete("/articles/<slug>")
@api.output(None, 204)
@api.doc(errors={403: "It is somebody else's.", 404: "No such article."})
def delete_article(slug):
    """Remove an article."""
    db.session.delete(own.require(article_at(slug)))
    db.session.commit()


@api.post("/articles/<slug>/favorite")
@api.output(ArticleOut, wrap="article")
@api.doc(errors={404: "No such article."})
def favorite(slug):
    """Favour an article."""
    article, user = article_at(slug), me()
    if user not in article.admirers:
        article.admirers.append(user)
    db.session.commit()
    return article


@api.delete("/articles/<slug>/favorite")
@api.output(ArticleOut, wrap="article")
@api.doc(errors={404: "No such article."})
def unfavorite(slug):
    """Favour an article no more."""
    article, user = article_at(slug), me()
    if user in article.admirers:
        article.admirers.remove(user)
    db.session.commit()
    return article


@api.get("/articles/<slug>/comments")
@public
@api.output(CommentOut(many=True), wrap="comments")
@api.doc(errors={404: "No such article."})
def list_comments(slug):
    """List the comments on an article."""
    found = select(Comment).where(Comment.article_id == article_at(slug).id)
    return db.session.scalars(found.order_by(Comment.id)).all()


@api.post("/articles/<slug>/comments")
@api.input(CommentIn, wrap="comment")
@api.output(CommentOut, 201, wrap="comment")
@api.doc(errors={404: "No such article."})
def add_comment(slug, data):
    """Comment on an article."""
    comment = Comment(article_id=article_at(slug).id, author_id=current_user.id, **data)
    db.session.add(comment)
    db.session.commit()
    return comment


@api.delete("/articles/<slug>/comments/<int:number>")
@api.output(None, 204)
@api.doc(errors={403: "It is somebody else's.", 404: "No such comment."})
def delete_comment(slug, number):
    """Remove a comment."""
    comment = db.session.get(Comment, number) if number < 2**31 else None
    if comment is None or comment.article_id != article_at(slug).id:
        raise NotFound("comment not found")
    if comment.author_id != current_user.id:
        raise Forbidden("not yours")
    db.session.delete(comment)
    db.session.commit()


@api.get("/tags")
@public
@api.output(Schema.from_dict({"tags": fields.List(fields.String(), required=True)}, name="Tags"))
def list_tags():
    """List the tags."""
    return {"tags": db.session.scalars(select(Tag.name).order_by(Tag.name)).all()}


def create_app(settings):
    app = flask.Flask(__name__)
    Carboy(app, settings, envelope=Envelope())
    db.init_app(app)
    auth.init_app(app)
    app.register_blueprint(api)
    return app
