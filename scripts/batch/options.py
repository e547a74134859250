"""What the scripts of this folder can be told, and what that means to an Extractor. Not a script itself."""

import argparse


def parser(description):
    """Flags as those of `onrecord batch`, as far as they make sense on a cluster."""
    flags = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    flags.add_argument("inputs", nargs="+", metavar="INPUT", help="Parquet files or folders that every node can read")
    flags.add_argument("--output", required=True, metavar="DIR", help="directory to write to, new or empty")
    flags.add_argument("--text-column", default="text", metavar="NAME", help="column of the texts [text]")
    flags.add_argument("--id-column", default="id", metavar="NAME", help="column of the ids, which must be there [id]")
    flags.add_argument("--keep", default="", metavar="COLUMNS", help="columns to pass through, with commas between")
    flags.add_argument("--model", metavar="DIR", help="model directory that every node can read [the model inside]")
    flags.add_argument("--precision", choices=["int8", "f32"], help="as for onrecord batch")
    flags.add_argument("--entity-scheme", choices=["news9", "conll4"], default="news9", help="as for onrecord batch")
    flags.add_argument("--offset-unit", choices=["codepoint", "byte", "utf16"], default="codepoint")
    flags.add_argument("--min-score", type=float, default=0.0, metavar="SCORE", help="as for onrecord batch")
    flags.add_argument("--no-floating", action="store_true", help="as for onrecord batch")
    return flags


def extractor_options(arguments):
    """Keywords for Extractor, but for `threads`."""
    names = ["model", "precision", "entity_scheme", "offset_unit", "min_score"]
    return {name: getattr(arguments, name) for name in names} | {"floating": not arguments.no_floating}


def column_options(arguments):
    """Keywords for Extractor.extract_batch."""
    keep = [name for name in arguments.keep.split(",") if name]
    return {"text_column": arguments.text_column, "id_column": arguments.id_column, "keep": keep}


def columns_read(columns):
    """The columns that must be read, each once."""
    return list(dict.fromkeys([columns["id_column"], columns["text_column"], *columns["keep"]]))
