"""Batches of Arrow: in whatever kind they come, the rows are those of `onrecord batch`."""

import json

import pyarrow
import pyarrow.compute
import pyarrow.parquet
import pytest
from conftest import ARTICLES
from onrecord import Extractor

TEXT = "“The pier is beyond repair,” said Claire Moreau."


def table():
    return pyarrow.table(
        {
            "url": list(ARTICLES),
            "body": list(ARTICLES.values()),
            "year": pyarrow.array(range(1990, 1990 + len(ARTICLES)), pyarrow.int16()),
        }
    )


def read(extractor, rows, **more):
    return extractor.extract_batch(rows, text_column="body", id_column="url", **more)


class Capsules:
    """Rows of another library: nothing but the protocol."""

    def __init__(self, rows, method):
        setattr(type(self), method, lambda self, requested_schema=None: getattr(rows, method)(requested_schema))


def test_rows_are_those_of_onrecord_batch(extractor, command, tmp_path):
    pyarrow.parquet.write_table(table(), tmp_path / "articles.parquet")
    flags = ["--text-column", "body", "--id-column", "url", "--keep", "year", "--precision", "int8"]
    assert command("batch", "articles.parquet", "--output", "out", *flags).returncode == 0
    expected = pyarrow.parquet.read_table(tmp_path / "out/part-00000.parquet")
    found = read(extractor, table(), keep=["year"])
    assert isinstance(found, pyarrow.RecordBatch)
    assert found.schema.names[-1] == "error" and found["error"].null_count == len(ARTICLES)
    results = pyarrow.table(found).drop_columns("error")
    assert results.schema == expected.schema.remove_metadata()
    assert results.to_pylist() == expected.to_pylist()
    found.validate(full=True)


def test_rows_are_those_of_extract(extractor):
    found = read(extractor, table()).to_pylist()
    expected = extractor.extract(list(ARTICLES.values()), list(ARTICLES))
    assert [{name: value for name, value in row.items() if name != "error"} for row in found] == expected


def test_the_kind_of_rows_does_not_matter(extractor):
    expected = read(extractor, table())
    one = table().to_batches()[0]
    longer = pyarrow.concat_tables([table().slice(0, 2), table(), table().slice(0, 1)])
    kinds = [
        one,
        Capsules(one, "__arrow_c_array__"),
        Capsules(table(), "__arrow_c_stream__"),
        # Of several batches, and out of the middle of something else.
        pyarrow.Table.from_batches([one.slice(0, 3), one.slice(3, 0), one.slice(3)]),
        longer.combine_chunks().to_batches()[0].slice(2, len(ARTICLES)),
        *(table().set_column(1, "body", table()["body"].cast(kind)) for kind in [pyarrow.large_string(), pyarrow.string_view()]),
        table().set_column(1, "body", table()["body"].dictionary_encode()),
        table().set_column(0, "url", table()["url"].cast(pyarrow.large_string())),
        pyarrow.RecordBatchReader.from_batches(one.schema, [one]),
    ]
    for rows in kinds:
        assert read(extractor, rows).equals(expected), rows


def test_a_bad_row_costs_its_own_error():
    small = Extractor(threads=1, max_document_bytes=100)
    rows = pyarrow.table({"text": [TEXT, "", None, "a" * 101, TEXT], "id": [7, 8, None, 10, 11], "n": [1, 2, 3, 4, None]})
    found = small.extract_batch(rows, keep=["n"])
    # Without an id, its number.
    assert found["id"].to_pylist() == ["7", "8", "2", "10", "11"]
    assert found["n"].to_pylist() == [1, 2, 3, 4, None]
    codes = [error and error["code"] for error in found["error"].to_pylist()]
    assert codes == [None, "empty_document", "empty_document", "document_too_large", None]
    assert [len(statements) for statements in found["statements"].to_pylist()] == [1, 0, 0, 0, 1]
    assert set(found["model"].to_pylist()) == {small.model}
    no_ids = small.extract_batch(pyarrow.table({"text": [TEXT, TEXT]}))
    assert no_ids["id"].to_pylist() == ["0", "1"]


def test_rows_can_be_selected_and_written(extractor, tmp_path):
    rows = pyarrow.table({"text": ["", TEXT, None, "He said no.", "Nobody came."]})
    found = pyarrow.table(extractor.extract_batch(rows))
    selected = found.filter(pyarrow.compute.is_null(found["error"]))
    pyarrow.parquet.write_table(selected, tmp_path / "selected.parquet")
    assert pyarrow.parquet.read_table(tmp_path / "selected.parquet").to_pylist() == found.to_pylist()[1:2] + found.to_pylist()[3:]


def test_no_rows_are_no_rows(extractor):
    expected = read(extractor, table(), keep=["year"]).schema
    empty = table().schema.empty_table()
    for rows in [empty, pyarrow.RecordBatch.from_pylist([], schema=table().schema)]:
        found = read(extractor, rows, keep=["year"])
        assert (found.num_rows, found.schema) == (0, expected)


@pytest.mark.parametrize(
    ("rows", "more", "error", "message"),
    [
        (pyarrow.table({"body": ["a"]}), {}, ValueError, 'no column "text"; its columns: body'),
        (pyarrow.table({"text": [1]}), {}, ValueError, 'column "text" is Int64, not text'),
        (pyarrow.table({"text": ["a"]}), {"id_column": "url"}, ValueError, 'no column "url"'),
        (pyarrow.table({"text": ["a"], "id": [1.5]}), {}, ValueError, 'column "id" is Float64, not text or a whole number'),
        (pyarrow.table({"text": ["a"]}), {"keep": ["year"]}, ValueError, 'no column "year"'),
        (pyarrow.table({"text": ["a"], "id": ["1"]}), {"keep": ["id"]}, ValueError, "keep id: the output has a column"),
        (pyarrow.table({"text": ["a"], "error": ["1"]}), {"keep": ["error"]}, ValueError, "keep error: the output has"),
        (pyarrow.table({"text": ["a"], "n": [1]}), {"keep": ["n", "n"]}, ValueError, "keep names n twice"),
        ([{"text": "a"}], {}, TypeError, "must be a RecordBatch or Table of Arrow, and not list"),
        (pyarrow.array(["a"]), {}, TypeError, "Struct"),
        (pyarrow.table({"text": ["a"]}), {"keep": "year"}, TypeError, "keep"),
    ],
)
def test_what_does_not_fit_is_refused(extractor, rows, more, error, message):
    with pytest.raises(error, match=message):
        extractor.extract_batch(rows, **more)


def test_what_is_no_utf8_is_not_believed(extractor):
    broken = pyarrow.Array.from_buffers(
        pyarrow.string(), 1, [None, pyarrow.py_buffer(b"\0\0\0\0\2\0\0\0"), pyarrow.py_buffer(b"\xff\xfe")]
    )
    batch = pyarrow.RecordBatch.from_arrays([broken], ["text"])
    for rows in [batch, pyarrow.Table.from_batches([batch])]:
        with pytest.raises(ValueError, match="UTF-?8|utf-?8"):
            extractor.extract_batch(rows)


def test_results_are_json_as_everywhere(extractor, extract):
    found = read(extractor, table()).to_pylist()
    for row, expected in zip(found, extract(ARTICLES)):
        del row["error"]
        assert json.loads(json.dumps(row)) == expected
