"""Pictures that Pillow decodes: PNG, JPEG, GIF, BMP, TIFF, WebP and PPM. Pillow is optional."""

import io
import math
import warnings

import numpy as np

from jitnet.data.content import brief
from jitnet.data.readers import levels
from jitnet.data.readers.levels import check_size
from jitnet.errors import InputError

_PHOTO = 100_000_000  # pixels of one picture: from `levels.LARGEST` on it is made smaller
_MOST_PAGES = 5  # times `levels.LARGEST`: the pixels of all pictures of a file
_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")  # few decoders, the well-kept ones


def is_there() -> bool:
    """Whether Pillow is installed."""
    try:
        import PIL.Image  # noqa: F401
    except ImportError:
        return False
    return True


def decode(content: bytes, where: str) -> list[np.ndarray]:
    """Return the pictures of a file: greys (H, W) uint8, deeper ones uint16, or RGBA (H, W, 4) uint8.

    They are turned as EXIF says, and made smaller above `levels.LARGEST`. Raises `InputError`.
    """
    try:
        from PIL import Image, ImageOps, UnidentifiedImageError
    except ImportError:
        raise InputError(
            f"{where} is not an npy, PNG, PGM or IDX file, and other images need Pillow: pip install 'jitnet[image]'"
        ) from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about a size that is checked below, or a flaw that decodes all the same
            with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
                check_size((image.height, image.width), where, _PHOTO)
                found = []
                for frame in range(_frames(image, where)):
                    image.seek(frame)
                    check_size((image.height, image.width), where, _PHOTO)
                    turned = _smaller(ImageOps.exif_transpose(image))
                    found.append(_picture(turned, where))
                return found
    except InputError:
        raise
    except Image.DecompressionBombError:  # beyond Pillow's own limit, which is higher
        raise InputError(f"{where} has too many pixels: expected at most {_PHOTO:,}, make it smaller") from None
    except UnidentifiedImageError:
        raise InputError(f"{where} is not an image: expected npy, PGM, IDX or one of {', '.join(_FORMATS)}") from None
    except Exception as error:  # a decoder may raise anything for a damaged file
        raise InputError(f"{where} cannot be decoded ({brief(error)}): expected a whole image, save it again") from None


def _smaller(image):
    """Return a Pillow image at a half, a third and so on of its size: at most `levels.LARGEST` pixels."""
    part = math.ceil(math.sqrt(image.height * image.width / levels.LARGEST))
    if part == 1:
        return image
    return (image.convert("RGBA") if image.mode in ("1", "P", "PA") else image).reduce(part)


def _frames(image, where: str) -> int:
    """Return how many pictures a Pillow image holds: pages, or those of an animation; a camera's JPEG is one."""
    frames = 1 if image.format in ("JPEG", "MPO") else int(getattr(image, "n_frames", 1))
    if frames * image.height * image.width > _MOST_PAGES * levels.LARGEST:
        raise InputError(
            f"{where} holds {frames} pictures of {image.width} x {image.height} pixels: expected at most "
            f"{_MOST_PAGES * levels.LARGEST:,} pixels in all, save fewer of them"
        )
    return frames


def _picture(image, where: str) -> np.ndarray:
    """Return a Pillow image as an array, as `decode` describes."""
    if image.mode.startswith("I"):  # 16 bits of grey, which convert() would clip at 255
        values = np.asarray(image, np.int64)
        if values.min() < 0 or values.max() > 65535:
            raise InputError(f"{where} has grey levels {values.min()} to {values.max()}: expected 8 or 16 bits")
        return values.astype(np.uint16)
    if image.mode == "F":
        raise InputError(f"{where} has fractional grey levels: expected 8 or 16 bits, save it so")
    is_grey = image.mode in ("L", "1") and "transparency" not in image.info
    return np.array(image.convert("L" if is_grey else "RGBA"))
