"""The lane for speed: what replaces a general implementation by a quicker one."""
