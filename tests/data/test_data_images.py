"""Images to predict: every kind that is read, every kind that is refused, and the way to MNIST's looks."""

import gzip
import io
import os
import sys

import numpy as np
import pytest
from data_files import arrays, idx_bytes
from image_files import read_images

from jitnet.data import load_mnist
from jitnet.data.pictures.prepare import centred
from jitnet.data.readers import images, levels, with_pillow
from jitnet.errors import InputError

REAL = os.environ.get("JITNET_DATA")
GREY = np.arange(6 * 5, dtype=np.uint8).reshape(6, 5) * 8


def npy_bytes(array) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def file(tmp_path, content, name="image"):
    (tmp_path / name).write_bytes(content)
    return tmp_path / name


def refused(path) -> str:
    with pytest.raises(InputError) as caught:
        read_images(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def centre(image, height=28, width=28) -> np.ndarray:
    return centred(image, height, width).image


def read_one(path) -> np.ndarray:
    [(name, image)] = read_images(path)
    assert name == str(path) and image.dtype == np.uint8 and image.flags.writeable and image.ndim == 2
    return image


PGM = {
    "P5": b"P5\n# by hand\n5 6 #\n255\n" + GREY.tobytes(),
    "P5 16 bits": b"P5 5 6 65535 " + (GREY.astype(">u2") * 257).tobytes(),
    "P2": b"P2\n5 6\n255\n" + " ".join(map(str, GREY.ravel())).encode(),
}


@pytest.mark.parametrize("kind", ["P5", "P5 16 bits", "P2"])
def test_pgm(tmp_path, kind):
    np.testing.assert_array_equal(read_one(file(tmp_path, PGM[kind])), GREY)


def test_pgm_levels_are_stretched(tmp_path):
    np.testing.assert_array_equal(read_one(file(tmp_path, b"P2 4 1 3\n0 1 2 3")), [[0, 85, 170, 255]])


@pytest.mark.parametrize("content", [npy_bytes(GREY), npy_bytes(GREY.astype(float)), idx_bytes(GREY)])
def test_one_image(tmp_path, content):
    np.testing.assert_array_equal(read_one(file(tmp_path, content, "misleading.png")), GREY)


@pytest.mark.parametrize("pack", [npy_bytes, idx_bytes, lambda array: gzip.compress(idx_bytes(array))])
def test_a_stack(tmp_path, pack):
    stack = arrays()["x_test"]
    read = read_images(file(tmp_path, pack(stack)))
    assert [name for name, _ in read] == [f"{tmp_path / 'image'}[{i}]" for i in range(20)]
    np.testing.assert_array_equal(np.stack([image for _, image in read]), stack)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"P5", "no sound PGM header"),
        (b"P5 5 6", "no sound PGM header"),
        (b"P5 # no end", "no sound PGM header"),
        (b"P5 a b c\n", "no sound PGM header"),
        (b"P5 5 6 0\n", "expected 1 to 65535"),
        (b"P5 -5 -6 255\n", "PGM header of -5 x -6"),
        (b"P5 0 6 255\n", "has 0 x 6 pixels"),
        (b"P5 100000 100000 255\n", "has 100000 x 100000 pixels: expected 1 to 20,000,000"),
        (b"P5 5 6 255\n123", "has 3 grey levels: expected 5 x 6"),
        (b"P5 5 6 65535\n123", "has 1 grey levels"),
        (b"P2 2 1 255\n1", "has 1 grey levels"),
        (b"P2 2 1 255\n1 x", "not a number"),
        (b"P2 2 1 255\n1 99999999999999999999", "not a number"),
        (b"P2 2 1 255\n1 256", "grey levels 1 to 256: expected 0 to 255"),
        (npy_bytes(np.zeros((1, 2, 3, 4))), "expected one image (H, W) or several"),
        (npy_bytes(np.zeros((0, 4))), "expected one image"),
        (npy_bytes(np.zeros((4, 4)) + 9.5), "fractions from 9.5 to 9.5"),
        (npy_bytes(np.full((4, 4), np.nan)), "the value nan at [0, 0]"),
        (npy_bytes(np.zeros((4, 4), complex)), "values of type complex128"),
        (idx_bytes(arrays()["y_test"]), "has shape (20,)"),
        (gzip.compress(b"text", mtime=0), "not an IDX file"),
    ],
)
def test_refused_without_pillow(tmp_path, content, words):
    assert words in refused(file(tmp_path, content))


def test_missing_files_folders_and_pillow(tmp_path, monkeypatch):
    assert "is not a file" in refused(tmp_path / "none.png")
    assert "is not a file" in refused(tmp_path)
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert "pip install 'jitnet[image]'" in refused(file(tmp_path, b"\xff\xd8\xff\xe0"))


def saved(tmp_path, image, kind, **options):
    image.save(tmp_path / "image", kind, **options)
    return tmp_path / "image"


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF", "WEBP", "JPEG"])
def test_pillow_formats(tmp_path, kind):
    pillow = pytest.importorskip("PIL.Image")
    large = np.kron(GREY, np.ones((8, 8), np.uint8))
    options = {"lossless": True} if kind == "WEBP" else {}
    read = read_one(saved(tmp_path, pillow.fromarray(large), kind, **options))
    assert np.abs(read.astype(int) - large).max() <= (16 if kind == "JPEG" else 1)


def test_pillow_modes(tmp_path):
    pillow = pytest.importorskip("PIL.Image")

    def read(image, kind="PNG", **options):
        return read_one(saved(tmp_path, image, kind, **options))

    np.testing.assert_array_equal(read(pillow.fromarray(GREY.astype(np.uint16) * 257)), GREY)
    clear = np.zeros((2, 2, 4), np.uint8)
    clear[0, 0, 3] = 255
    np.testing.assert_array_equal(read(pillow.fromarray(clear)), [[0, 255], [255, 255]])
    np.testing.assert_array_equal(read(pillow.fromarray(GREY > 100)), (GREY > 100) * 255)
    cmyk = pillow.new("RGB", (3, 2), "white").convert("CMYK")
    np.testing.assert_array_equal(read(cmyk, "TIFF"), np.full((2, 3), 255))
    palette = pillow.new("P", (2, 1), 1)
    palette.putpalette([0, 0, 0, 255, 255, 255])
    palette.putpixel((0, 0), 0)
    np.testing.assert_array_equal(read(palette), [[0, 255]])
    np.testing.assert_array_equal(read(palette, transparency=0), [[0, 255]])  # by transparency alone
    turned = pillow.Exif()
    turned[0x0112] = 6
    for kind in ("TIFF", "PNG"):
        np.testing.assert_array_equal(read(pillow.fromarray(GREY), kind, exif=turned), np.rot90(GREY, -1))
    fractional = saved(tmp_path, pillow.fromarray(GREY.astype(np.float32)), "TIFF")
    assert "fractional grey levels" in refused(fractional)
    deep = saved(tmp_path, pillow.fromarray(GREY.astype(np.int32) * 100_000), "TIFF")
    assert "expected 8 or 16 bits" in refused(deep)


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "PNG", "WEBP"])
def test_every_page_and_frame_is_an_image(tmp_path, kind):
    pillow = pytest.importorskip("PIL.Image")
    pages = [pillow.new("RGB", (4, 4), (level,) * 3) for level in (10, 200, 90)]
    path = saved(tmp_path, pages[0], kind, save_all=True, append_images=pages[1:])
    read = images.read_levels(path)
    assert [name for name, _ in read] == [f"{path}[{place}]" for place in range(3)]
    assert [round(float(levels.mean()) / 10) for _, levels in read] == [1, 20, 9]
    with pytest.raises(InputError, match="holds 3 pictures: expected one in each file"):
        images.decode(path.read_bytes(), str(path))


@pytest.mark.parametrize("mode", ["L", "RGB", "P", "1"])
def test_large_photographs_are_made_smaller(tmp_path, monkeypatch, mode):
    pillow = pytest.importorskip("PIL.Image")
    monkeypatch.setattr(levels, "LARGEST", 100)
    large = np.kron((GREY[:5] > 90) * np.uint8(255), np.ones((4, 4), np.uint8))  # 20 x 20
    read = read_one(saved(tmp_path, pillow.fromarray(large).convert(mode), "PNG"))
    np.testing.assert_array_equal(read, large[::2, ::2])


def test_pillow_refuses(tmp_path, monkeypatch):
    pillow = pytest.importorskip("PIL.Image")
    assert "is not an image: expected npy, PGM, IDX or one of PNG" in refused(file(tmp_path, b"some text"))
    drawing = pillow.fromarray(np.kron(GREY, np.ones((9, 9), np.uint8)))
    icon = saved(tmp_path, drawing, "ICO")
    assert "is not an image" in refused(icon)
    large = saved(tmp_path, pillow.new("1", (10_000, 10_001)), "PNG", compress_level=9)
    assert "has 10000 x 10001 pixels: expected 1 to 100,000,000" in refused(large)
    whole = saved(tmp_path, drawing, "PNG").read_bytes()
    for length in range(8, whole.index(b"IEND") - 20, 7):
        refused(file(tmp_path, whole[:length]))
    bomb = saved(tmp_path, pillow.new("1", (20_000, 20_000)), "PNG", compress_level=9)
    assert "has too many pixels: expected at most 100,000,000" in refused(bomb)
    monkeypatch.setattr(with_pillow, "_PHOTO", 100)
    monkeypatch.setattr(with_pillow, "_picture", lambda *a: pytest.fail("decoded"))
    assert "has 45 x 54 pixels: expected 1 to 100" in refused(file(tmp_path, whole))


def drawing(height, width, box, ink=255, paper=0) -> np.ndarray:
    top, left, bottom, right = box
    image = np.full((height, width), paper, np.uint8)
    image[top:bottom, left:right] = ink
    return image


def centre_of_mass(image) -> tuple[float, float]:
    rows, columns = np.indices(image.shape)
    return float((rows * image).sum() / image.sum()), float((columns * image).sum() / image.sum())


def extents(image) -> tuple[int, int]:
    return int(np.ptp(np.flatnonzero(image.any(1)))) + 1, int(np.ptp(np.flatnonzero(image.any(0)))) + 1


@pytest.mark.parametrize(("ink", "paper"), [(255, 0), (0, 255), (30, 200), (90, 20)])
@pytest.mark.parametrize("size", [(200, 300), (57, 31), (9, 8)])
def test_a_drawing_is_turned_light_scaled_and_centred(ink, paper, size):
    height, width = size
    box = (height // 3, 1, height // 3 + height // 2, 1 + width // 4)
    out = centre(drawing(height, width, box, ink, paper))
    assert out.shape == (28, 28) and out.dtype == np.uint8 and out.flags.c_contiguous and out.flags.writeable
    assert out.max() == 255 and max(extents(out)) == 20
    tall, wide = box[2] - box[0], box[3] - box[1]
    assert extents(out) == tuple(max(1, round(side * 20 / max(tall, wide))) for side in (tall, wide))
    assert np.allclose(centre_of_mass(out), 14, atol=0.51)


def test_the_heavy_side_goes_to_the_middle_and_nothing_is_lost():
    image = drawing(100, 100, (10, 10, 90, 90))
    image[20:80, 30:90] = 0  # what is left is heavy on the left
    out = centre(image)
    assert np.allclose(centre_of_mass(out), 14, atol=0.51) and extents(out) == (20, 20)
    lopsided = drawing(400, 400, (0, 0, 40, 40)) + drawing(400, 400, (399, 399, 400, 400))
    assert extents(centre(lopsided)) == (20, 20)


@pytest.mark.skipif(not REAL, reason="JITNET_DATA is not set")
def test_digits_drawn_large_and_dark_come_back_as_mnist_has_them(tmp_path, monkeypatch):
    monkeypatch.setenv("JITNET_CACHE_DIR", str(tmp_path))
    _, (x_test, _) = load_mnist(offline=True)
    large = [255 - np.kron(np.pad(x, ((3, 9), (10, 2))), np.ones((7, 7), np.uint8)) for x in x_test[:100]]
    differences = [np.abs(centre(image).astype(int) - x).mean() for image, x in zip(large, x_test)]
    assert np.mean(differences) < 7  # all of them one pixel off would be 17


def test_paper_that_is_not_even_is_no_ink():
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 25, (300, 300)).astype(np.uint8)
    image = 255 - noise
    image[100:200, 140:160] = 20
    out = centre(image)
    assert extents(out) == (20, 4) and np.count_nonzero(out) == 80


def test_other_sizes():
    out = centre(drawing(100, 100, (10, 10, 50, 30)), 56, 84)
    assert out.shape == (56, 84) and extents(out) == (40, 20)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_blank_image(level):
    with pytest.raises(InputError, match="the image is blank"):
        centre(np.full((28, 28), level, np.uint8))
    with pytest.raises(InputError, match="the image is blank"):
        centre(np.full((1, 1), level, np.uint8))
