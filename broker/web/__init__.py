"""The broker's HTTP face: the API under /v1 and its page."""
