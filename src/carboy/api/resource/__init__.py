"""CRUD by a class: a model and schemas become ordinary views on a blueprint."""

from carboy.api.resource.resource import Resource

__all__ = ["Resource"]
