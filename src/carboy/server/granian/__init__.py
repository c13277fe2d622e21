"""granian's reader and writer of HTTP under gunicorn's master: ``SERVER=granian``.

granian, written in Rust, accepts connections, parses heads and writes answers in threads of
its own. Its ASGI interface, not its WSGI one, hands requests over here: only that tells a
body that ends from one that breaks off, and lets a body arrive without holding a thread.
No event loop runs: the app is called at once, in the thread granian calls from.
"""
