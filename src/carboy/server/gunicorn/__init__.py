"""The worker of ``SERVER=gunicorn``: gunicorn's, with a way of its own for ordinary requests.

A few threads wait for clients and run the app, each in turn: no request changes hands, and
none waits for a client in a thread. What every client sends every day is read and answered
here. Anything else (other versions of HTTP, chunks, streams, malformed heads) goes through
gunicorn's own parser and writer, with the bytes that have come; so does everything over TLS.
"""
