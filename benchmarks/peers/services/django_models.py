"""The tables as Django's models; they are made by :mod:`peers.database`."""

from __future__ import annotations

from django.db import models


class World(models.Model):
    """A number; of TechEmpower's benchmarks."""

    id = models.IntegerField(primary_key=True)
    randomnumber = models.IntegerField()

    class Meta:
        """Where it is kept."""

        app_label = "bench"
        db_table = "world"
        managed = False


class Fortune(models.Model):
    """A saying; of TechEmpower's benchmarks."""

    id = models.IntegerField(primary_key=True)
    message = models.CharField(max_length=2048)

    class Meta:
        """Where it is kept."""

        app_label = "bench"
        db_table = "fortune"
        managed = False


class User(models.Model):
    """A row of the size that tables of users have."""

    id = models.AutoField(primary_key=True)
    name = models.CharField(max_length=80)
    email = models.CharField(max_length=120)
    age = models.IntegerField()
    city = models.CharField(max_length=80)
    active = models.BooleanField()
    born = models.DateField()

    class Meta:
        """Where it is kept."""

        app_label = "bench"
        db_table = "users"
        managed = False


class Item(models.Model):
    """A row of the long table."""

    id = models.IntegerField(primary_key=True)
    name = models.CharField(max_length=80)
    value = models.IntegerField()

    class Meta:
        """Where it is kept."""

        app_label = "bench"
        db_table = "items"
        managed = False
