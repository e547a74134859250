"""Writing what other stages depend on."""


def write_if_new(path, content):
    """Writes bytes, unless they are there already: then the file keeps its time, and nobody who depends on it runs again."""
    if not path.exists() or path.read_bytes() != content:
        path.write_bytes(content)
