"""The page of a server, with the demo's model: `make page`, or `python -m eval.page`."""
