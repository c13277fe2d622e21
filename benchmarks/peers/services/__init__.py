"""One service per peer, written the way its own documentation writes one.

All have the same routes, the same shapes of JSON and the same validation;
:mod:`peers.check` holds them to it before any load.
"""
