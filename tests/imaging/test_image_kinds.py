"""Which files are read as images: by their content those of the named formats alone, by their names all usual ones."""

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image, features

from uncial.document import ImageSource
from uncial.errors import UnusableInput
from uncial.formats.image_finder import ImageFinder
from uncial.formats.lines.pairs import pair
from uncial.imaging.images import FORMATS, read_image

READ = {"JPEG", "PNG", "TIFF", "WEBP", "JPEG2000", "AVIF", "BMP", "GIF", "PPM"}
NOT_READ = ("EPS", "PCX", "TGA", "ICO", "SGI", "MSP", "IM", "SPIDER", "DDS")
"""What Pillow would open too, the first with the help of another program."""

OF_PAGES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".jp2", ".j2k")
OF_LINES = (*OF_PAGES, ".jpe", ".jpx", ".jpf", ".bmp", ".gif", ".pnm", ".pgm", ".pbm", ".ppm")


def grey():
    return Image.fromarray(np.tile(np.linspace(60, 220, 64).astype(np.uint8), (48, 1)))


@pytest.mark.parametrize("kind", sorted(READ))
def test_an_image_of_each_format_is_read_whatever_its_name_says(tmp_path, kind):
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow writes no AVIF")
    path = tmp_path / "page.png"
    grey().save(path, kind)
    pixels = read_image(ImageSource(path)).pixels
    assert pixels.shape == (48, 64)
    assert np.abs(pixels.astype(int) - np.asarray(grey())).mean() < 4


@pytest.mark.parametrize("kind", NOT_READ)
def test_what_pillow_opens_beyond_these_is_refused_by_its_header(tmp_path, kind, monkeypatch):
    path = tmp_path / "page.png"
    # Who saves as SPIDER gives that format the suffix for good.
    monkeypatch.setattr(Image, "EXTENSION", dict(Image.EXTENSION))
    image = grey().convert("1") if kind == "MSP" else grey().convert("RGB") if kind == "DDS" else grey()
    image.save(path, kind)
    Image.open(path)  # It is one.
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *args, **keys: pytest.fail("another program is run"))
    with pytest.raises(UnusableInput, match=r"page\.png: not an image in a known format \(JPEG, PNG, ") as refused:
        read_image(ImageSource(path))
    assert all(name in str(refused.value) for name in FORMATS)


@pytest.mark.parametrize("suffix", [form for one in OF_PAGES for form in (one, one.upper())])
def test_a_page_image_is_found_with_every_usual_suffix(tmp_path, suffix):
    for name in ("page.xml", f"scan{suffix}", "scan.pdf", "scan.txt"):
        (tmp_path / name).write_bytes(b"x")
    finder = ImageFinder()
    for stated in (f"scan{suffix}", "scan.jpg", "scan.pdf", "scan"):
        assert finder.find(stated, tmp_path / "page.xml", tmp_path).name == f"scan{suffix}"


@pytest.mark.parametrize("suffix", [form for one in OF_LINES for form in (one, one.upper())])
def test_a_line_image_is_paired_with_every_usual_suffix(tmp_path, suffix):
    files = [tmp_path / f"line{suffix}", tmp_path / "line.gt.txt"]
    for file in files:
        file.write_bytes(b"x")
    assert [(image.name, text.name) for image, text in pair(files).pairs] == [(f"line{suffix}", "line.gt.txt")]
