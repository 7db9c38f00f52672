"""A small music studio: a model of its own, trained, heard and measured in about two minutes."""
