"""botocore's data files, each read once in a process and in those that are forked from it."""

import functools

from botocore.loaders import JSONFileLoader

_read = JSONFileLoader.load_file


@functools.cache
def _read_once(path):
    return _read(JSONFileLoader(), path)


# botocore hands out what it has read without a copy itself, so it does not change it.
JSONFileLoader.load_file = lambda _, path: _read_once(path)
