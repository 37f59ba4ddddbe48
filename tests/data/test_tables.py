import pytest

from autotl.data.tables import TableError, read_table

AS_WRITTEN = ["NA", "NO", "null", "1e3", "007", "", "ünï", "😀", "  cat ", "a,b", "two\nlines", "nan", "שלום"]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_cells_stay_as_they_were_written(tmp_path, separator):
    rows = "".join(f'a.png{separator}"{cell}"\n' for cell in AS_WRITTEN)
    (tmp_path / "t.csv").write_text(f"path{separator}label\n{rows}", encoding="utf-8")
    assert read_table(tmp_path / "t.csv", encoding="utf-8").columns["label"] == AS_WRITTEN


def test_parquet_cells_stay_as_they_were_written(tmp_path):
    import pyarrow as arrow
    from pyarrow import parquet

    parquet.write_table(arrow.table({"path": ["a", "b"], "label": ["NA", "1e3"]}), tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet", encoding="utf-8").columns == {"path": ["a", "b"], "label": ["NA", "1e3"]}


def test_a_byte_order_mark_and_windows_line_ends_are_no_part_of_a_cell(tmp_path):
    (tmp_path / "t.csv").write_bytes("\ufeffpath,label\r\na.png,cat\r\n\r\n".encode())
    assert read_table(tmp_path / "t.csv", encoding="utf-8").columns == {"path": ["a.png"], "label": ["cat"]}


def test_the_encoding_of_the_task_is_used(tmp_path):
    (tmp_path / "t.csv").write_bytes("path,label\na,café\n".encode("latin-1"))
    assert read_table(tmp_path / "t.csv", encoding="latin-1").columns["label"] == ["café"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            b"path,label\na,b\nc,caf\xe9\n",
            "line 3: byte 0xe9 is not utf-8. Write its encoding in the task",
        ),
        (b"", "is empty"),
        (b"path,label\na,b,c\n", "line 2: has 3 cells, the header has 2. Quote cells"),
        (b"path,label\na,b\nc\n", "line 3: has 1 cells, the header has 2. Is the line cut off?"),
        (b"path,path\na,b\n", "line 1: two columns are called 'path'"),
        (b'path,label\na,"b\n', "line 2: unexpected end of data"),
    ],
)
def test_a_broken_table_says_the_line_and_what_to_do(tmp_path, content, words):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(TableError) as caught:
        read_table(tmp_path / "t.csv", encoding="utf-8")
    assert words in str(caught.value)


def test_a_line_number_counts_lines_inside_cells(tmp_path):
    (tmp_path / "t.csv").write_text('path,label\na,"x\ny"\nb,c\n')
    assert list(read_table(tmp_path / "t.csv", encoding="utf-8").lines) == [2, 4]


def test_a_long_table_is_read_in_order_and_its_repeated_cells_are_kept_once(tmp_path):
    numbers = [str(number) for number in range(1_001)]
    rows = [f"{number},{'yes' if int(number) % 3 else 'no'}\n" for number in numbers]
    (tmp_path / "t.csv").write_text("path,label\n" + "".join(rows))
    table = read_table(tmp_path / "t.csv", encoding="utf-8")
    assert table.columns["path"] == numbers
    assert table.columns["label"][:4] == ["no", "yes", "yes", "no"]
    assert len({id(cell) for cell in table.columns["label"]}) == 2
    assert list(table.lines) == list(range(2, 1_003))


def test_an_uneven_row_far_down_is_named_by_its_line(tmp_path):
    (tmp_path / "t.csv").write_text("path,label\n" + "a,b\n" * 5_000 + "\nc\n" + "a,b\n" * 10)
    with pytest.raises(TableError, match="line 5003: has 1 cells, the header has 2"):
        read_table(tmp_path / "t.csv", encoding="utf-8")


def test_a_wrong_byte_far_down_is_named_by_its_line(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"path,label\n" + b"a,b\n" * 50_000 + b"c,caf\xe9\n")
    with pytest.raises(TableError, match="line 50002: byte 0xe9 is not utf-8"):
        read_table(tmp_path / "t.csv", encoding="utf-8")


def test_a_missing_column_names_the_nearest(tmp_path):
    (tmp_path / "t.csv").write_text("path,label\na,b\n")
    with pytest.raises(TableError, match=r"no label column 'lable'\. Its columns: path, label\. Did you mean 'label'"):
        read_table(tmp_path / "t.csv", encoding="utf-8").column("lable", meaning="label")


def test_a_text_file_named_parquet_is_refused(tmp_path):
    (tmp_path / "t.parquet").write_text("path,label\n")
    with pytest.raises(TableError, match="is no Parquet file"):
        read_table(tmp_path / "t.parquet", encoding="utf-8")


@pytest.mark.parametrize("encoding", ["hex", "idna"])
def test_a_setting_that_cannot_decode_a_table_is_an_error_in_words(tmp_path, encoding):
    (tmp_path / "t.csv").write_bytes(b"path,label\n" + b"a." * 80 + b"\xff,b\n")
    with pytest.raises(TableError, match=f"{encoding}.*Write its encoding in the task"):
        read_table(tmp_path / "t.csv", encoding=encoding)
