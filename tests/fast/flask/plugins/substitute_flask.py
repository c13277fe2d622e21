"""A plugin of pytest's that puts the class of the fast lane where tests look for Flask's."""

import flask
import flask.app

from carboy.fast.flask import Flask

flask.Flask = flask.app.Flask = Flask
