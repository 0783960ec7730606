"""Every reader takes what it should, and refuses the rest in one sentence that names the place."""

import gzip
import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from data_files import arrays, csv_text, idx_bytes

from jitnet.data import checks, content, labels, pixels
from jitnet.data.dataset import assemble
from jitnet.data.readers import idx, npy, tables
from jitnet.data.readers.kinds import kind_of
from jitnet.data.readers.raw import Raw
from jitnet.errors import InputError

IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)


def npy_bytes(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def npy_header(text: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def refused(read, *args) -> str:
    with pytest.raises(InputError) as caught:
        read(*args)
    message = str(caught.value)
    assert "\n" not in message and "expected" in message
    return message


@pytest.mark.parametrize("array", [IMAGES, IMAGES[:, 0, 0].copy(), IMAGES[..., None].copy()])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_idx_round_trip(array, pack):
    read = idx.decode(pack(idx_bytes(array)), "f")
    np.testing.assert_array_equal(read, array)
    assert read.dtype == np.uint8 and read.flags.writeable and read.flags.c_contiguous


def test_idx_reads_members_that_follow_each_other():
    whole = idx_bytes(IMAGES)
    np.testing.assert_array_equal(idx.decode(gzip.compress(whole[:20]) + gzip.compress(whole[20:]), "f"), IMAGES)


@pytest.mark.parametrize(
    ("damaged", "words"),
    [
        (b"", "not an IDX file"),
        (b"\x00\x00\x08", "not an IDX file"),
        (b"<html>no</html>", "not an IDX file"),
        (b"\0\0\x0d\x03" + bytes(12), "IDX type 0x0d"),
        (b"\0\0\x08\x00", "announces 0 extents"),
        (b"\0\0\x08\x05" + bytes(20), "announces 5 extents"),
        (b"\0\0\x08\x03" + bytes(11), "ends inside its header"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "announces 79,228,162,458,924,105,385,300,197,375 bytes"),
        (b"\0\0\x08\x02\x00\x00\x80\x00\x00\x00\xff\xff", "cut short: expected 2,147,450,880 bytes"),
        (b"\0\0\x08\x03" + b"\xff" * 8 + bytes(4), "announces the shape (4294967295, 4294967295, 0)"),
        (idx_bytes(IMAGES)[:-1], "cut short: expected 24 bytes after the header, got 23"),
        (idx_bytes(IMAGES) + b"x", "continues after its data"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_idx_refuses(damaged, words, pack):
    message = refused(idx.decode, pack(damaged), "my.idx")
    assert words in message and message.startswith("my.idx")


def test_idx_refuses_every_truncation_of_a_gz_and_every_flipped_byte():
    whole = gzip.compress(idx_bytes(IMAGES), mtime=0)
    for length in range(len(whole)):
        refused(idx.decode, whole[:length], "f")
    for at in range(10, len(whole)):  # the first ten bytes hold a name, a time, a system: no content
        flipped = whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :]
        refused(idx.decode, flipped, "f")


def test_gzip_bomb_stops_one_byte_beyond_what_the_header_announces():
    bomb = gzip.compress(idx_bytes(IMAGES) + bytes(200_000_000), 1)
    tracemalloc.start()
    assert "continues after its data" in refused(idx.decode, bomb, "f")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize("array", [IMAGES, np.asfortranarray(IMAGES), IMAGES.astype(">f4"), IMAGES[:0]])
def test_npy_round_trip(array):
    read = npy.decode(npy_bytes(array), "f")
    np.testing.assert_array_equal(read, array)
    assert read.flags.writeable and read.flags.c_contiguous and read.dtype.isnative


def objects() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.array([{}], object), allow_pickle=True)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("damaged", "words"),
    [
        (b"", "no sound npy header"),
        (b"\x93NUMPY\x09\x00", "version"),
        (npy_bytes(IMAGES)[:40], "no sound npy header"),
        (npy_header("{" * 5000), "no sound npy header"),
        (npy_header("__import__('os').abort()\n"), "no sound npy header"),
        (npy_bytes(IMAGES)[:-1], "cut short"),
        (npy_bytes(IMAGES) + b"x", "continues after its data"),
        (
            npy_header("{'descr': '|u1', 'fortran_order': False, 'shape': (34359738368,)}\n"),
            "at most 2,147,483,648",
        ),
        (
            npy_header("{'descr': '|u1', 'fortran_order': False, 'shape': (-1, -8)}\n") + bytes(8),
            "at least 0",
        ),
        (
            npy_header("{'descr': '|u1', 'fortran_order': False, 'shape': (4294967295, 4294967295, 0)}\n"),
            "announces the shape",
        ),
        (npy_bytes(np.array(["a"])), "values of type str"),
        (objects(), "values of type object"),
    ],
)
def test_npy_refuses(damaged, words):
    assert words in refused(npy.decode, damaged, "f")


def npz_bytes(**named: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **named)
    return stream.getvalue()


def test_npz_round_trip_and_what_it_refuses():
    whole = npz_bytes(a=IMAGES, b=IMAGES[0])
    read = npy.decode_npz(whole, ("a", "b"), "f")
    np.testing.assert_array_equal(read["a"], IMAGES)
    assert "lacks c" in refused(npy.decode_npz, whole, ("a", "c"), "f")
    for length in range(0, len(whole), 3):
        refused(npy.decode_npz, whole[:length], ("a", "b"), "f")
    for at in range(len(whole)):
        flipped = whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :]
        try:
            read = npy.decode_npz(flipped, ("a",), "f")
        except InputError:
            continue
        np.testing.assert_array_equal(read["a"], IMAGES)  # a byte that carries no content, as a time


def test_npz_bomb_stops_one_byte_beyond_what_the_header_announces():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", npy_bytes(IMAGES) + bytes(100_000_000))
    assert "continues after its data" in refused(npy.decode_npz, stream.getvalue(), ("a",), "f")


def test_a_damaged_npz_is_not_quoted():
    whole = bytearray(npz_bytes(a=np.zeros((200, 200), np.uint8)))
    whole[26:28] = b"\xff\x00"  # the length of the member's name
    message = refused(npy.decode_npz, bytes(whole), ("a",), "f")
    assert len(message) < 200 and message.isprintable()


@pytest.mark.parametrize("header", ["", "label,pixel0\n", "\ufefflabel\r\n", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_csv_round_trip(header, end):
    x, y = IMAGES.reshape(2, 12), np.array([7, 255], np.uint8)
    table = tables.decode((header + csv_text(x, y).replace("\n", end) + end).encode(), "f", label="1")
    np.testing.assert_array_equal(table.pixels, x)
    assert table.labels.tolist() == ["7", "255"] and table.pixels.flags.c_contiguous


def test_csv_takes_quotes_and_whole_decimals():
    table = tables.decode(b'"label","a","b"\n"3",4.0, 5 \n1,2,3\n', "f")
    assert table.pixels.tolist() == [[4, 5], [2, 3]] and table.labels.tolist() == ["3", "1"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "no line of data"),
        (b"\n\n", "no line of data"),
        (b"label,a,b\n", "no line of data"),
        (b"1,2,3\n4,5,nan\n", "'nan' in line 2, column 3"),
        (b"1,2,3\n4,inf,1\n", "'inf' in line 2, column 2"),
        (b"1,2,3\n1,,6\n", "'' in line 2, column 2"),
        (b"1,2,3\n1,2,3\n1,\xff\xfe,6\n", "not text in UTF-8, in line 3"),
        (b"1,2,3\n1,2,3\n1,2\n", "2 columns in line 3: expected 3"),
        (b"1,2,3\n7\n1,2,3\n", "1 column in line 2: expected 3"),
        (b"1,2,3\n7,\n1,2,3\n", "2 columns in line 2: expected 3"),
        (b"label,a\n1,2\n7\n1,2\n", "1 column in line 3: expected 2"),
        (b"a,label\n1,2\n ,7\n1,2\n", "'' in line 3, column 1"),
        (b'label,a,b\nx,1,2\n"x\ny",1,2\ny,1,2\n', "1 column in line 3: expected 3"),
        (b"label\n1\n2\n", "one column"),
        (b"1;0,5;2\n0;0,25;1\n", "decimal commas, and semicolons"),
        (b"1 2 3\n4 5 6\n", "spaces between its columns"),
        (b"emotion,pixels\n0,70 80 82\n1,1 2 3\n", "names no column of labels"),
        (b"label,pixels\n0,70 80 82\n1,1 2 3\n", "these are 3; write a column for each"),
        (b"\xff\xfel\0a", "not text in UTF-16"),
        (b"class,target,a\n1,2,3\n", "'class' and 'target'"),
        (b"size,weight,height\n1,2,3\n", "names no column of labels"),
    ],
)
def test_csv_refuses(text, words):
    assert words in refused(tables.decode, text, "f")


@pytest.mark.parametrize("dtype", [np.int64, np.float32, np.uint16, np.float64, np.uint8])
def test_pixels_of_any_number_type(dtype):
    values = IMAGES.astype(dtype) * 11
    scale = pixels.scale_of([values], "f")
    read = pixels.to_bytes(values, scale, "f")
    np.testing.assert_array_equal(read, IMAGES * 11)
    assert read.dtype == np.uint8 and scale.full == 255


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0, 256.0])
def test_pixels_name_the_first_bad_place(value):
    bad = IMAGES.astype(np.float64)
    bad[1, 2, 0] = value
    assert f"the value {value:g} at [1, 2, 0]" in refused(pixels.scale_of, [bad], "f")


def test_shapes_of_images_and_labels():
    assert checks.images(np.zeros((5, 784), np.uint8), "f").shape == (5, 28, 28)
    assert checks.images(np.zeros((5, 9, 7, 1), np.uint8), "f").shape == (5, 9, 7)
    assert checks.images(np.zeros((5, 9, 7, 3), np.uint8), "f").shape == (5, 9, 7, 3)
    assert "783 pixels in a row" in refused(checks.images, np.zeros((5, 783), np.uint8), "f")
    assert "no image in it" in refused(checks.images, np.zeros((0, 28, 28), np.uint8), "f")
    assert "the channels first" in refused(checks.images, np.zeros((5, 1, 28, 28), np.uint8), "f")
    assert "values of type complex" in refused(pixels.scale_of, [np.zeros((5, 9, 7), complex)], "f")
    assert "one label per image" in refused(labels.texts, np.zeros((5, 10), np.uint8), "f")
    assert "the label 0.5 at [1]" in refused(labels.texts, np.array([0, 0.5]), "f")
    assert "300 different labels" in refused(labels.numbered, [np.arange(300).astype(str)], "f")


def test_arrays_that_do_not_belong_together():
    def raw(**changed):
        return Raw("test", **(arrays() | changed))

    assert assemble(raw(), "f", "f").classes == 10
    few = np.zeros(39, np.uint8)
    assert "40 train images but 39 train labels" in refused(assemble, raw(y_train=few), "f", "f")
    assert "20 test images but 39 test labels" in refused(assemble, raw(y_test=few), "f", "f")
    wide = np.zeros((20, 28, 30), np.uint8)
    assert "(28, 28) but test images of (28, 30)" in refused(assemble, raw(x_test=wide), "f", "f")
    zeros = {"y_train": np.zeros(40, np.uint8), "y_test": np.zeros(20, np.uint8)}
    assert "at least two classes" in refused(assemble, raw(**zeros), "f", "f")
    said = []
    assemble(raw(y_test=np.full(20, 61, np.uint8)), "f", "f", warn=said.append)
    assert "test images of the class 61 but none to train on" in said[0]


def test_read_file_refuses(tmp_path, monkeypatch):
    assert "is not a file" in refused(content.read_file, tmp_path)
    assert "is not a file" in refused(content.read_file, tmp_path / "none")
    (tmp_path / "large").write_bytes(b"12345")
    monkeypatch.setattr(content, "LARGEST", 4)
    assert "has 5 bytes: expected at most 4" in refused(content.read_file, tmp_path / "large")


def test_the_hash_covers_shape_and_content():
    hashes = {content.sha256(a) for a in (IMAGES, IMAGES.reshape(2, 4, 3), IMAGES[:1], IMAGES[:0], IMAGES ^ 1)}
    assert len(hashes) == 5
    assert content.sha256(np.asfortranarray(IMAGES)) == content.sha256(IMAGES)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("name", ["t.csv", "t"])
def test_a_text_in_a_wide_encoding_without_a_mark_is_called_so(tmp_path, encoding, name):
    content = "label,p0,p1,p2,p3\r\nä,1,2,3,4\r\nb,1,2,3,4\r\n".encode(encoding)
    (tmp_path / name).write_bytes(content)
    words = f"is text in {encoding[:6].upper()} without a mark of it: expected UTF-8"
    assert words in refused(kind_of, tmp_path / name) and words in refused(tables.decode, content, "f")


@pytest.mark.parametrize("name", ["t.csv", "T.TSV", "t.txt"])
def test_a_nul_byte_in_a_table_is_named_by_its_line(tmp_path, name):
    content = b"label,a,b\n1,2,3\n1,\0,3\n" + b"1,2,3\n" * 2000
    (tmp_path / name).write_bytes(content)
    words = "has a NUL byte in line 3: expected text in UTF-8"
    assert words in refused(kind_of, tmp_path / name) and words in refused(tables.decode, content, "f")
    (tmp_path / "t.bin").write_bytes(bytes(range(256)))
    assert "is not a data set" in refused(kind_of, tmp_path / "t.bin")


def test_a_nul_byte_far_down_in_a_table_is_named_too():
    assert "has a NUL byte in line 2001" in refused(tables.decode, b"1,2,3\n" * 2000 + b"1,\0,3\n", "f")
