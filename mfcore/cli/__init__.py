"""The command line, a module per family of commands; :mod:`mfcore.__main__` puts them together."""
