"""Backing services: embedded by default, a server by URL."""
