"""Tables go out and come back unchanged, and what is no table is refused with the line that is wrong."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mfcore.embeddings import export
from mfcore.embeddings.export import pack_tables, read_tables, read_zip, write_metadata, write_vectors
from mfcore.errors import UnusableRequest

VECTORS = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 8), st.integers(1, 6)),
    elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\t\r\n"), max_size=12)


@settings(deadline=None, max_examples=200)
@given(vectors=VECTORS, data=st.data())
def test_what_goes_out_comes_back(vectors: np.ndarray, data: st.DataObject) -> None:
    names = data.draw(st.lists(TEXT.filter(str.strip), min_size=1, max_size=4, unique=True))
    columns = {name: data.draw(st.lists(TEXT, min_size=len(vectors), max_size=len(vectors))) for name in names}
    back = read_zip(pack_tables(vectors, columns))
    np.testing.assert_array_equal(back.vectors, vectors)
    assert list(back.metadata.values()) == list(columns.values())
    if len(names) > 1:  # a single column has no header in the projector's format
        assert list(back.metadata) == names


def test_what_would_break_a_table_becomes_a_space() -> None:
    text = write_metadata({"title": ["a\tb", "c\r\nd"], "year": [None, 1995]})
    assert text == "title\tyear\na b\t\nc  d\t1995\n"


def test_a_single_column_has_no_header_and_a_file_with_one_is_read_too() -> None:
    assert write_metadata({"title": ["x", "y"]}) == "x\ny\n"
    vectors = write_vectors([[1.0], [2.0]]).encode()
    assert read_tables(vectors, b"x\ny\n").metadata == {"label": ["x", "y"]}
    assert read_tables(vectors, b"word\nx\ny\n").metadata == {"word": ["x", "y"]}
    assert read_tables(vectors).metadata == {"label": ["1", "2"]}


def test_a_header_over_the_vectors_is_passed_over_and_windows_lines_are_lines() -> None:
    found = read_tables(b"\xef\xbb\xbfx\ty\r\n1\t2\r\n3\t4\r\n\r\n")
    assert found.vectors.tolist() == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(
    ("vectors", "metadata", "words"),
    [
        (b"", None, "empty"),
        (b"1\t2\n3\tx\n", None, "line 2 of vectors.tsv is not numbers"),
        (b"1\t2\n3\n", None, "line 2 of vectors.tsv has 1 numbers, the first has 2"),
        (b"1\tnan\n", None, "NaN"),
        (b"1\t1e60\n", None, "beyond float32"),
        (b"\xff\xfe1", None, "UTF-8"),
        (b"words\tonly\n", None, "not numbers"),
        (b"1\n2\n", b"a\n", "1 lines for 2 points"),
        (b"1\n2\n", b"a\tb\nc\n", "line 2 of metadata.tsv has 1 columns"),
        (b"1\n2\n", b"a\ta\nc\td\ne\tf\n", "same name"),
    ],
)
def test_what_is_no_table_is_refused_in_words(vectors: bytes, metadata: bytes | None, words: str) -> None:
    with pytest.raises(UnusableRequest, match=words):
        read_tables(vectors, metadata)


def test_sizes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "MOST_POINTS", 2)
    with pytest.raises(UnusableRequest, match="at most 2"):
        read_tables(b"1\n2\n3\n")
    monkeypatch.setattr(export, "MOST_WIDE", 1)
    with pytest.raises(UnusableRequest, match="at most 1"):
        read_tables(b"1\t2\n")
    monkeypatch.setattr(export, "MOST_BYTES", 1024**2)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("vectors.tsv", b"0\n" * 2**20)  # a bomb: small in the file, 2 MB out of it
    with pytest.raises(UnusableRequest, match="larger than 1 MB"):
        read_zip(buffer.getvalue())


@pytest.mark.parametrize("data", [b"", b"not a zip", zipfile.ZIP_STORED.to_bytes(4, "big")])
def test_what_is_no_zip_is_refused(data: bytes) -> None:
    with pytest.raises(UnusableRequest, match="zip"):
        read_zip(data)


def test_a_zip_without_vectors_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("../../etc/evil", b"1")
    with pytest.raises(UnusableRequest, match=r"no vectors\.tsv"):
        read_zip(buffer.getvalue())
