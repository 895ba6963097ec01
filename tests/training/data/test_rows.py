"""Rows of text tables: what they say, and where they do not say what they should."""

import math

import pytest

from training.data.rows import (
    BadRow,
    Row,
    check_distinct,
    delimited_rows,
    json_array_rows,
    json_rows,
)


def row(**cells: object) -> Row:
    return Row("labels.csv", 7, cells)


@pytest.mark.parametrize(
    "content",
    [
        b"name,share\na,0.5\nb,1\n",
        b"name,share\r\na,0.5\r\nb,1\r\n",
        b"\xef\xbb\xbfname,share\na,0.5\nb,1",
        b'name,share\n\n"a",0.5\n\nb, 1 \n\n',
    ],
    ids=["plain", "crlf", "byte order mark", "blank lines and quotes"],
)
def test_the_same_table_is_read_however_it_was_saved(content: bytes) -> None:
    rows = delimited_rows(content, file="t.csv")
    assert [(r.text("name"), r.number("share")) for r in rows] == [("a", 0.5), ("b", 1.0)]


def test_a_line_break_in_quotes_does_not_shift_the_line_of_a_later_error() -> None:
    with pytest.raises(BadRow, match=r"t\.csv, line 4: given 1 cells; expected 2: name, caption"):
        delimited_rows(b'name,caption\na,"two\nlines"\nb\n', file="t.csv")


def test_text_that_is_not_utf8_is_an_error_with_its_line() -> None:
    with pytest.raises(BadRow, match=r"t\.csv, line 3: given byte 0xe9; expected UTF-8"):
        delimited_rows("name\na\ncafé\n".encode("latin-1"), file="t.csv")


@pytest.mark.parametrize("content", [b"", b"\n", b"a,a\n", b"a,,b\n"])
def test_a_header_needs_a_name_of_its_own_for_every_column(content: bytes) -> None:
    with pytest.raises(BadRow, match="line 1: given header"):
        delimited_rows(content, file="t.csv")


def test_a_quote_that_never_ends_is_an_error() -> None:
    with pytest.raises(BadRow, match="line 2"):
        delimited_rows(b'a,b\n1,"2\n', file="t.csv")


def test_json_lines_keep_their_values_and_line_numbers() -> None:
    rows = json_rows(b'{"labels": ["joy"], "joy": 0.5}\n\n{"labels": []}\n', file="m.jsonl")
    assert [(r.line, r.texts("labels")) for r in rows] == [(1, ("joy",)), (3, ())]
    assert rows[0].number("joy") == 0.5


@pytest.mark.parametrize("line", [b"{", b"[1]", b'"text"'])
def test_a_line_that_is_no_json_object_is_an_error(line: bytes) -> None:
    with pytest.raises(BadRow, match=r"m\.jsonl, line 2.*one JSON object a line"):
        json_rows(b"{}\n" + line + b"\n", file="m.jsonl")


@pytest.mark.parametrize("value", ["joy|fear", '["joy", "fear"]', ["joy", "fear"], " joy | fear "])
def test_labels_may_be_joined_or_a_list(value: object) -> None:
    assert row(labels=value).texts("labels") == ("joy", "fear")


@pytest.mark.parametrize("value", ["[]", []])
def test_an_empty_list_says_that_no_label_holds(value: object) -> None:
    assert row(labels=value).has("labels")
    assert row(labels=value).texts("labels") == ()


@pytest.mark.parametrize("value", ["joy|", "joy|joy", "[1]", "[", '["joy", "joy"]', 3, {"joy": 1}])
def test_labels_that_are_no_list_of_distinct_names_are_an_error(value: object) -> None:
    with pytest.raises(BadRow, match=r"labels\.csv, line 7: given"):
        row(labels=value).texts("labels")


@pytest.mark.parametrize("value", ["", "x", "-0.1", "nan", "inf", None, True, [1], 10**400])
def test_a_share_that_is_no_number_of_at_least_zero_is_an_error(value: object) -> None:
    with pytest.raises(BadRow, match=r"for joy; expected a number of at least 0"):
        row(joy=value).number("joy")


@pytest.mark.parametrize("value", ["0.25", 0.25, "2.5e-1"])
def test_a_share_may_be_text_or_number(value: object) -> None:
    assert math.isclose(row(joy=value).number("joy"), 0.25)


@pytest.mark.parametrize(("value", "count"), [("3", 3), (3.0, 3), ("0", 0), ("2.0", 2)])
def test_a_count_may_be_text_or_number(value: object, count: int) -> None:
    assert row(votes=value).count("votes") == count


@pytest.mark.parametrize("value", ["", "x", "-1", "1.5", 0.5, None, True])
def test_a_count_that_is_no_whole_number_of_at_least_zero_is_an_error(value: object) -> None:
    with pytest.raises(BadRow, match=r"labels\.csv, line 7: given .* for votes; expected a"):
        row(votes=value).count("votes")


def test_a_file_without_a_header_gets_its_columns() -> None:
    rows = delimited_rows(b"a 1\n\nb 2\n", file="t.txt", delimiter=" ", columns=("name", "number"))
    assert [(r.line, r.text("name"), r.count("number")) for r in rows] == [(1, "a", 1), (3, "b", 2)]


def test_quotes_may_be_single_or_none() -> None:
    single = delimited_rows(b"'name','n'\n'a,b',1\n", file="t.csv", quote="'")
    assert single[0].text("name") == "a,b"
    none = delimited_rows(b'name\tn\nThe "a\t1\n', file="t.tsv", delimiter="\t", quote=None)
    assert none[0].text("name") == 'The "a'


def test_a_column_without_a_name_may_be_named() -> None:
    assert delimited_rows(b",n\na,1\n", file="t.csv", unnamed="image")[0].text("image") == "a"


def test_an_array_of_arrays_is_read_by_position() -> None:
    rows = json_array_rows(b'[["a", 1, "more"], ["b", 2]]', file="t.json", columns=("name", "n"))
    assert [(r.line, r.text("name"), r.count("n")) for r in rows] == [(1, "a", 1), (2, "b", 2)]
    with pytest.raises(BadRow, match=r"t\.json, row 2: given 2 for n; expected text"):
        rows[1].text("n")


@pytest.mark.parametrize("value", ["", None, "  ", 3])
def test_text_that_is_missing_or_no_text_is_an_error(value: object) -> None:
    with pytest.raises(BadRow, match="for label; expected text"):
        row(label=value).text("label")


def test_a_repeated_row_is_an_error_that_names_the_first() -> None:
    rows = delimited_rows(b"name\na\nb\na\n", file="t.csv")
    with pytest.raises(BadRow, match="line 4: given 'a' again; expected it once; it is on line 2"):
        check_distinct(rows, lambda r: r.text("name"))
