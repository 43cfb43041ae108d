"""Page and line images, from any of the usual formats, as 8-bit pixels that fit the coordinates of the ground
truth.
"""

import io
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import cv2
import numpy as np
import simplejpeg
from PIL import Image, UnidentifiedImageError

from uncial.document import ImageSource, PageWarning
from uncial.errors import UnusableInput
from uncial.formats.image_finder import open_header
from uncial.imaging.pixels import drop_alpha, fit_to_stated_size, to_eight_bits, turn

MAX_PIXELS = 200_000_000
"""The default of `data.max_pixels`: about a double page of A2 at 600 dpi."""

# Those that need no outside program: Pillow would hand EPS to Ghostscript.
FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "JPEG2000", "AVIF", "BMP", "GIF", "PPM")


@dataclass(frozen=True, slots=True)
class PageImage:
    """The pixels of a page, (H, W) or (H, W, 3) uint8 RGB.

    `scale` is (x, y): pixels of `pixels` for one unit of the ground truth's coordinates. `notes` say, in a sentence
    each, what a person should look at: pixels turned by a guess, coordinates scaled.
    """

    pixels: np.ndarray
    scale: tuple[float, float] = (1.0, 1.0)
    notes: tuple[PageWarning, ...] = ()


def read_image(
    source: ImageSource,
    channels: int = 1,
    stated: tuple[int, int] = (0, 0),
    max_pixels: int = MAX_PIXELS,
) -> PageImage:
    """Read an image as `channels` (1 grey or 3 RGB) of 8 bits.

    `stated` is the (width, height) for which the ground truth's coordinates were made, (0, 0) where unknown; it
    decides which way a photograph with an EXIF orientation is turned, and the scale of the coordinates;
    transparent pixels take the local background (see `uncial.imaging.pixels`).

    Raises `UnusableInput` where the file is missing, unreadable, empty, truncated or no image, has more than
    `max_pixels` (told from its header, before decoding), or has another shape than stated."""
    path = source.path
    where = f"{path}, row {source.frame}" if path.suffix == ".arrow" else str(path)
    try:
        with _open(source) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _read(_read_header(file, max_pixels), file, source, channels, stated, max_pixels)
    except UnusableInput:
        raise
    except FileNotFoundError:
        raise UnusableInput(
            f"{where}: the image is missing; put it there, or name its folder in data.images", "missing_image"
        ) from None
    except PermissionError:
        raise UnusableInput(f"{where}: the image may not be read; change its permissions", "unreadable_image") from None
    except IsADirectoryError:
        raise UnusableInput(f"{where}: an image is expected here, but it is a folder", "unreadable_image") from None
    except UnidentifiedImageError:
        reason = f"not an image in a known format ({', '.join(FORMATS)}), or damaged; convert it, or fetch it again"
        raise UnusableInput(f"{where}: {reason}", "unreadable_image") from None
    except Image.DecompressionBombError:
        raise _explain_too_large(path, None, max_pixels) from None
    # On damaged files Pillow's plugins raise OSError, SyntaxError, ValueError, struct.error and more.
    except Exception as error:
        reason = f"{where}: the image is damaged or truncated ({_shorten(error)}); fetch it again"
        raise UnusableInput(reason, "unreadable_image") from error


def decode_image(image: Image.Image | np.ndarray, channels: int = 1) -> np.ndarray:
    """Return the pixels of an image that is in memory already, as `read_image` gives those of its file: (H, W) or (H,
    W, 3).

    An array is (H, W[, 1 to 4]), its alpha last where there are 2 or 4 channels.
    """
    if isinstance(image, np.ndarray):
        return _finish(image, channels)
    image.load()
    # Without a format it was made or cut by a program, and stands as that program meant it.
    orientation = _read_orientation(image) if image.format else 1
    pixels = _to_pixels(image, channels)
    return np.ascontiguousarray(pixels if orientation == 1 else turn(pixels, orientation))


def _read(
    image: Image.Image,
    file: IO[bytes],
    source: ImageSource,
    channels: int,
    stated: tuple[int, int],
    max_pixels: int,
) -> PageImage:
    if source.path.suffix != ".arrow" and source.frame:
        _go_to_frame(image, source)
    if image.width * image.height > max_pixels:
        raise _explain_too_large(source.path, image.size, max_pixels)
    # Pillow turns a TIFF while loading it, states the turned size before, and has forgotten the orientation afterwards.
    # All others it leaves as they are, and in a PNG the orientation may stand behind the pixels.
    notes: tuple[PageWarning, ...] = ()
    if image.format == "TIFF":
        orientation, size = _read_orientation(image), (image.tag_v2[256], image.tag_v2[257])  # type: ignore[attr-defined]
        pixels, turned = _decode(image, file, source, channels)
    else:
        size = image.size
        if image.format in ("JPEG", "MPO"):
            pixels, notes = _decode_jpeg(image, file, source, channels)
            turned = False
        else:
            pixels, turned = _decode(image, file, source, channels)
        orientation = _read_orientation(image)
    fit = fit_to_stated_size(size, orientation, stated, source.path)
    if fit.turned != turned:
        pixels = turn(pixels, orientation, back=turned)
    return PageImage(np.ascontiguousarray(pixels), fit.scale, (*notes, *fit.notes))


def _decode(image: Image.Image, file: IO[bytes], source: ImageSource, channels: int) -> tuple[np.ndarray, bool]:
    """Return the pixels, and whether they are already turned by their EXIF orientation."""
    levels = _read_sixteen_bit_colour(image, file, source)
    if levels is not None:
        return _finish(levels, channels), False
    had = _read_orientation(image) if image.format == "TIFF" else 1
    image.load()
    return _to_pixels(image, channels), had != 1


def _decode_jpeg(
    image: Image.Image, file: IO[bytes], source: ImageSource, channels: int
) -> tuple[np.ndarray, tuple[PageWarning, ...]]:
    """Return the pixels, and a note where libjpeg found its data damaged, which Pillow keeps to itself."""
    _check_end_of_jpeg(file, source.path)
    notes: tuple[PageWarning, ...] = ()
    if image.mode in ("L", "RGB"):
        colours = "GRAY" if channels == 1 or image.mode == "L" else "RGB"  # of a colour image grey is the luma
        try:
            return _finish(simplejpeg.decode_jpeg(file.read(), colorspace=colours, strict=True), channels), ()
        except ValueError as error:
            if str(error).startswith("Corrupt JPEG data"):
                told = f"its JPEG data are damaged ({_shorten(error).removeprefix('Corrupt JPEG data: ')})"
                reason = f"{source.path}: {told}; look at its lines, and fetch it again where they are wrong"
                notes = (PageWarning("damaged_image", reason),)
    if channels == 1 and image.mode == "RGB":
        image.draft("L", None)
    image.load()
    return _to_pixels(image, channels), notes


def _to_pixels(image: Image.Image, channels: int) -> np.ndarray:
    mode = image.mode
    if image.has_transparency_data:
        return _finish(
            np.asarray(image.convert("LA" if channels == 1 and mode in ("L", "LA", "1") else "RGBA")), channels
        )
    if mode.startswith("I") or mode == "F":
        levels = np.asarray(image)
        if image.format == "TIFF" and image.tag_v2.get(262) == 0:  # type: ignore[attr-defined]
            # MinIsWhite, which Pillow honours for up to 8 bits only
            levels = levels.max() - levels if mode == "F" else _compute_depth_mask(levels) - levels
        return _finish(levels, channels)
    if channels == 1 and mode in ("1", "L"):
        return np.asarray(image if mode == "L" else image.convert("L"))
    if channels == 1 and mode != "P":
        image = image.convert("RGB") if mode not in ("RGB", "YCbCr") else image
        return np.asarray(image.convert("L"))
    return _finish(np.asarray(image.convert("RGB")), channels)


def _compute_depth_mask(levels: np.ndarray) -> int:
    return (1 << max(8, int(levels.max()).bit_length())) - 1


def _finish(levels: np.ndarray, channels: int) -> np.ndarray:
    """(H, W[, 1 to 4]) of any depth, alpha last where there are 2 or 4, to `channels` of 8 bits."""
    pixels = drop_alpha(to_eight_bits(levels))
    if channels == 1 and pixels.ndim == 3:
        return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    if channels == 3 and pixels.ndim == 2:
        return cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB)
    return pixels


def _read_sixteen_bit_colour(image: Image.Image, file: IO[bytes], source: ImageSource) -> np.ndarray | None:
    """Return the samples of a 16-bit PNG or TIFF in colour, of which Pillow keeps the upper byte alone; None for all
    others.
    """
    if image.format == "TIFF":
        bits = image.tag_v2.get(258, (8,))  # type: ignore[attr-defined]
        if image.mode not in ("RGB", "RGBA") or max(bits) != 16:
            return None
        _, frames = cv2.imreadmulti(str(source.path), source.frame, 1, flags=cv2.IMREAD_UNCHANGED)
        levels = frames[0] if frames else None
    elif image.format == "PNG" and image.mode in ("RGB", "RGBA", "LA"):
        file.seek(24)
        if file.read(1) != b"\x10":
            return None
        file.seek(0)
        levels = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_UNCHANGED)
    else:
        return None
    if levels is None:
        raise OSError("its pixels cannot be decoded")
    if levels.ndim == 2:
        return levels
    return cv2.cvtColor(levels, cv2.COLOR_BGR2RGB if levels.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)


def _read_orientation(image: Image.Image) -> int:
    value = image.getexif().get(274, 1)
    return value if value in range(1, 9) else 1


def _go_to_frame(image: Image.Image, source: ImageSource) -> None:
    count = getattr(image, "n_frames", 1)
    if source.frame >= count:
        reason = f"{source.path}: page {source.frame + 1} is asked for, but the file holds {count}"
        raise UnusableInput(reason, "unreadable_image")
    image.seek(source.frame)


def _check_end_of_jpeg(file: IO[bytes], path: Path) -> None:
    """Refuse a file that was cut and then filled up with zeros, which libjpeg decodes to grey without an error."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 65536))
    tail = file.read()
    if tail.endswith(b"\0" * 16) and b"\xff\xd9" not in tail:
        raise UnusableInput(
            f"{path}: the image is truncated (its end is filled with zeros); fetch it again", "unreadable_image"
        )
    file.seek(0)


@contextmanager
def _open(source: ImageSource) -> Iterator[IO[bytes]]:
    if source.path.suffix == ".arrow":
        from uncial.formats.lines.kraken_arrow import get_image_bytes

        yield io.BytesIO(get_image_bytes(source.path, source.frame))
        return
    with source.path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            raise UnusableInput(f"{source.path}: the image file is empty (0 bytes); fetch it again", "unreadable_image")
        yield file


def _read_header(file: IO[bytes], max_pixels: int) -> Image.Image:
    Image.init()
    known = [name for name in FORMATS if name in Image.OPEN]
    return open_header(file, max_pixels, known)


def _explain_too_large(path: Path, size: tuple[int, int] | None, max_pixels: int) -> UnusableInput:
    what = f"of {size[0]} x {size[1]} pixels " if size else ""
    remedy = "raise data.max_pixels if it is genuine"
    return UnusableInput(
        f"{path}: the image {what}is over the limit of {max_pixels} pixels; {remedy}", "too_large_image"
    )


def _shorten(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
