"""Django REST framework: serializers of models, generic views, its pagination by number."""

from __future__ import annotations

from random import randint
from typing import Any

from peers.services.django_tables import configure

configure("peers.services.rest_framework_service", ["rest_framework"])

# What follows can be imported once Django is set up.
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.shortcuts import render  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework import generics, pagination, serializers  # noqa: E402
from rest_framework.decorators import api_view  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402

from peers.services.django_models import Fortune, Item, User, World  # noqa: E402
from peers.services.tables import (  # noqa: E402
    EMAIL,
    LATE_FORTUNE,
    LIST_SIZE,
    PAGE_SIZE,
    WORLDS,
    drawn,
    in_order,
)


class WorldOut(serializers.ModelSerializer):
    """A world as it is answered."""

    randomNumber = serializers.IntegerField(source="randomnumber")  # noqa: N815 - as it is sent

    class Meta:
        """Which fields."""

        model = World
        fields = ("id", "randomNumber")


class UserSerializer(serializers.ModelSerializer):
    """A user, as it is read and answered."""

    email = serializers.RegexField(EMAIL, max_length=120)
    age = serializers.IntegerField(min_value=0, max_value=150)

    class Meta:
        """Which fields."""

        model = User
        fields = ("id", "name", "email", "age", "city", "active", "born")


class ItemOut(serializers.ModelSerializer):
    """An item as it is answered."""

    class Meta:
        """Which fields."""

        model = Item
        fields = ("id", "name", "value")


class FirstOnes(pagination.LimitOffsetPagination):
    """The first rows, without counting them."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """Read them."""
        del request, view
        return list(queryset[:LIST_SIZE])

    def get_paginated_response(self, data: Any) -> Response:
        """Answer them."""
        return Response({"items": data})


class ByNumber(pagination.PageNumberPagination):
    """Pages with numbers, in the shape that all peers answer."""

    page_size = PAGE_SIZE

    def get_paginated_response(self, data: Any) -> Response:
        """Answer them."""
        page = self.page
        return Response({"items": data, "page": page.number, "total": page.paginator.count})


class Users(generics.ListCreateAPIView):
    """All users."""

    queryset = User.objects.order_by("id")
    serializer_class = UserSerializer
    pagination_class = FirstOnes


class OneUser(generics.RetrieveAPIView):
    """One user."""

    queryset = User.objects.all()
    serializer_class = UserSerializer


class Items(generics.ListAPIView):
    """The long table."""

    queryset = Item.objects.order_by("id")
    serializer_class = ItemOut
    pagination_class = ByNumber


@api_view(["GET"])
def hello(_request: Request) -> Response:
    """Greet."""
    return Response({"message": "Hello, World!"})


@api_view(["GET"])
def one_world(_request: Request) -> Response:
    """Read one row."""
    return Response(WorldOut(World.objects.get(id=randint(1, WORLDS))).data)


@api_view(["GET"])
def many_worlds(request: Request) -> Response:
    """Read rows one by one."""
    ids = drawn(int(request.query_params.get("queries", 1)))
    return Response(WorldOut([World.objects.get(id=key) for key in ids], many=True).data)


@api_view(["GET"])
def updates(request: Request) -> Response:
    """Read rows one by one and change them."""
    ids = drawn(int(request.query_params.get("queries", 1)))
    worlds = [World.objects.get(id=key) for key in ids]
    for world in worlds:
        world.randomnumber = randint(1, WORLDS)
    World.objects.bulk_update(worlds, ["randomnumber"])
    return Response(WorldOut(worlds, many=True).data)


def fortunes(request: HttpRequest) -> HttpResponse:
    """Show a page."""
    shown = in_order([*Fortune.objects.all(), Fortune(id=0, message=LATE_FORTUNE)])
    return render(request, "fortunes.html", {"fortunes": shown})


@api_view(["POST"])
def upload(request: Request) -> Response:
    """Take a file."""
    return Response({"size": len(request.FILES["file"].read())})


urlpatterns = [
    path("json", hello),
    path("db", one_world),
    path("queries", many_worlds),
    path("updates", updates),
    path("fortunes", fortunes),
    path("users", Users.as_view()),
    path("users/<int:pk>", OneUser.as_view()),
    path("items", Items.as_view()),
    path("upload", upload),
]
app = get_wsgi_application()
