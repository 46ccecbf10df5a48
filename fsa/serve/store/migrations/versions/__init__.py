"""One module a version, named by its number; never changed once released."""
