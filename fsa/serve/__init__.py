"""A server: people's choices in a database, their rewards and answers over HTTP. Needs the extra `serve`."""
