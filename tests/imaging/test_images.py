"""Images of every kind, written by the test, read as 8-bit pixels."""

import io
import struct
import zlib

import cv2
import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from uncial.document import ImageSource
from uncial.errors import UnusableInput
from uncial.imaging.images import read_image


def scene(height=60, width=90):
    """Light paper with a darker corner at the top left, so that turning and mirroring show."""
    y, x = np.mgrid[:height, :width]
    levels = 225 - 0.3 * x
    levels[(y < height // 3) & (x < width // 3)] = 40
    return levels.astype(np.uint8)


def saved(tmp_path, image, name, **options):
    path = tmp_path / name
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(path, **options)
    return ImageSource(path)


def close(a, b, tolerance):
    return a.shape == b.shape and np.abs(a.astype(int) - b.astype(int)).mean() <= tolerance


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.jpg", {"quality": 95}),
        ("a.jpeg", {"quality": 95, "progressive": True}),
        ("a.png", {}),
        ("a.tif", {}),
        ("a.tiff", {"compression": "tiff_lzw"}),
        ("a.webp", {"lossless": True}),
        ("a.jp2", {"irreversible": False}),
        ("a b,c=d é.png", {}),
    ],
)
@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_usual_formats(tmp_path, name, options, colour, channels):
    image = Image.fromarray(scene())
    source = saved(tmp_path, image.convert("RGB") if colour else image, name, **options)
    pixels = read_image(source, channels).pixels
    assert pixels.dtype == np.uint8
    expected = scene() if channels == 1 else np.dstack([scene()] * 3)
    assert close(pixels, expected, 1.5)


def test_red_comes_first(tmp_path):
    image = np.zeros((8, 8, 3), np.uint8)
    image[..., 0] = 255
    assert (read_image(saved(tmp_path, image, "a.png"), 3).pixels == (255, 0, 0)).all()


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("colour", [False, True])
def test_deep_samples_are_scaled_by_their_depth_not_cut(tmp_path, bits, suffix, colour):
    deep = (scene().astype(np.float64) / 255 * ((1 << bits) - 1)).astype(np.uint16)
    path = tmp_path / f"a{suffix}"
    cv2.imwrite(str(path), np.dstack([deep] * 3) if colour else deep)
    assert close(read_image(ImageSource(path)).pixels, scene(), 1)


def test_deep_colour_keeps_its_channels_in_order(tmp_path):
    deep = np.dstack([np.full((5, 5), value, np.uint16) for value in (10_000, 30_000, 60_000)])  # BGR, as OpenCV writes
    for suffix in (".png", ".tif"):
        cv2.imwrite(str(tmp_path / f"a{suffix}"), deep)
        pixels = read_image(ImageSource(tmp_path / f"a{suffix}"), 3).pixels
        assert np.abs(pixels[0, 0].astype(int) - (233, 117, 39)).max() <= 1


@pytest.mark.parametrize("white", [1.0, 255.0, 65535.0])
def test_float_samples(tmp_path, white):
    source = saved(
        tmp_path, Image.fromarray((scene() / np.float32(255) * np.float32(white)).astype(np.float32)), "a.tif"
    )
    assert close(read_image(source).pixels, scene(), 1)


def test_float_samples_that_are_no_grey_levels_are_refused(tmp_path):
    source = saved(tmp_path, Image.fromarray(scene().astype(np.float32) - 100), "a.tif")
    with pytest.raises(UnusableInput, match="no grey levels"):
        read_image(source)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_bilevel(tmp_path, suffix):
    image = Image.fromarray(scene()).convert("1", dither=Image.Dither.NONE)
    pixels = read_image(saved(tmp_path, image, f"a{suffix}")).pixels
    assert set(np.unique(pixels)) == {0, 255}
    assert pixels[0, 0] == 0


@pytest.mark.parametrize("compression", [None, "group4"])
def test_bilevel_tiff_that_stores_white_as_nought(tmp_path, compression):
    image = Image.fromarray(scene()).convert("1", dither=Image.Dither.NONE)
    options = {"compression": compression} if compression else {}
    pixels = read_image(saved(tmp_path, image, "a.tif", tiffinfo={262: 0}, **options)).pixels
    assert pixels[0, 0] == 0
    assert pixels[-1, -1] == 255


def test_deep_tiff_that_stores_white_as_nought(tmp_path):
    deep = 65535 - (scene().astype(np.uint16) * 257)
    source = saved(tmp_path, Image.fromarray(deep), "a.tif", tiffinfo={262: 0})
    assert close(read_image(source).pixels, scene(), 1)


@pytest.mark.parametrize("transparency", [None, 3])
def test_palette(tmp_path, transparency):
    image = Image.fromarray(scene()).convert("RGB").quantize(16)
    options = {} if transparency is None else {"transparency": transparency}
    assert close(read_image(saved(tmp_path, image, "a.png", **options)).pixels, scene(), 12)


@pytest.mark.parametrize("name", ["a.jpg", "a.tif"])
def test_cmyk(tmp_path, name):
    image = Image.fromarray(scene()).convert("RGB").convert("CMYK")
    options = {"quality": 95} if name == "a.jpg" else {}
    for channels in (1, 3):
        pixels = read_image(saved(tmp_path, image, name, **options), channels).pixels
        assert close(pixels, scene() if channels == 1 else np.dstack([scene()] * 3), 2)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("channels", [1, 3])
def test_outside_the_polygon_of_a_cut_line_is_paper_and_not_black(tmp_path, mode, channels):
    """As Loghi cuts lines: alpha is the polygon, and the pixels outside are black."""
    paper = np.full((60, 300), 170, np.uint8)
    paper[25:35, 40:260:12] = 50
    alpha = np.zeros_like(paper)
    cv2.fillPoly(alpha, [np.array([[5, 12], [290, 5], [295, 48], [8, 55]])], 255)
    colour = [np.where(alpha > 0, paper, 0)] * (3 if mode == "RGBA" else 1)
    source = saved(tmp_path, Image.fromarray(np.dstack([*colour, alpha]), mode=mode), "a.png")
    pixels = read_image(source, channels).pixels
    assert np.abs(pixels[alpha == 0].astype(int) - 170).max() <= 3
    assert (pixels[30, 40:260:12] == 50).all()


def test_ink_on_a_transparent_ground_stands_on_white(tmp_path):
    alpha = np.zeros((60, 300), np.uint8)
    cv2.putText(alpha, "uncial", (20, 45), cv2.FONT_HERSHEY_SIMPLEX, 1.5, 255, 3, cv2.LINE_AA)
    source = saved(tmp_path, Image.fromarray(np.dstack([np.zeros_like(alpha)] * 3 + [alpha]), mode="RGBA"), "a.png")
    assert np.abs(read_image(source).pixels.astype(int) - (255 - alpha.astype(int))).max() <= 1


def test_pages_of_a_tiff(tmp_path):
    frames = [Image.fromarray(np.full((20, 30 + i), 60 * i, np.uint8)) for i in range(3)]
    source = saved(tmp_path, frames[0], "a.tif", save_all=True, append_images=frames[1:])
    for i in range(3):
        pixels = read_image(ImageSource(source.path, i)).pixels
        assert pixels.shape == (20, 30 + i)
        assert (pixels == 60 * i).all()
    with pytest.raises(UnusableInput, match="holds 3"):
        read_image(ImageSource(source.path, 3))


def test_rows_of_an_arrow_file_of_kraken(tmp_path):
    lines = [{"text": "a", "im": encoded("png", scene())}, {"text": "b", "im": encoded("png")[:5000]}]
    table = pa.table({"lines": lines})
    path = tmp_path / "set.arrow"
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    assert close(read_image(ImageSource(path, 0)).pixels, scene(), 0)
    with pytest.raises(UnusableInput, match=r"set\.arrow, row 1: .*truncated"):
        read_image(ImageSource(path, 1))
    with pytest.raises(UnusableInput, match="no row 2"):
        read_image(ImageSource(path, 2))


TURNS = {1: (0, 0), 2: (1, 0), 3: (0, 2), 4: (1, 2), 5: (1, 1), 6: (0, 3), 7: (1, 3), 8: (0, 1)}


def as_viewers_show(image, orientation):
    mirror, quarter_turns = TURNS[orientation]
    return np.rot90(image[:, ::-1] if mirror else image, quarter_turns)


def exif(orientation):
    data = Image.Exif()
    data[274] = orientation
    return data


def save_turned(tmp_path, orientation, suffix, image):
    options = {"tiffinfo": {274: orientation}} if suffix == ".tif" else {"exif": exif(orientation)}
    if suffix == ".jpg":
        options["quality"] = 95
    return saved(tmp_path, image, f"a{suffix}", **options)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_an_image_whose_size_tells_nothing_is_shown_as_viewers_show_it(tmp_path, orientation, suffix):
    image = read_image(save_turned(tmp_path, orientation, suffix, scene()))
    assert close(image.pixels, as_viewers_show(scene(), orientation), 2)
    assert bool(image.notes) == (orientation != 1)


@pytest.mark.parametrize("orientation", range(5, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_the_stated_size_says_which_pixels_the_coordinates_were_made_for(tmp_path, orientation, suffix):
    source = save_turned(tmp_path, orientation, suffix, scene(60, 90))
    raw, turned = read_image(source, stated=(90, 60)), read_image(source, stated=(60, 90))
    assert close(raw.pixels, scene(60, 90), 2)
    assert close(turned.pixels, as_viewers_show(scene(60, 90), orientation), 2)
    assert not raw.notes
    assert not turned.notes
    double = read_image(source, stated=(180, 120))
    assert close(double.pixels, scene(60, 90), 2)
    assert double.scale == (0.5, 0.5)


@pytest.mark.parametrize(("orientation", "size"), [(3, (60, 90)), (2, (60, 90)), (6, (80, 80)), (8, (80, 80))])
def test_where_the_size_fits_both_ways_the_page_is_flagged(tmp_path, orientation, size):
    source = save_turned(tmp_path, orientation, ".jpg", scene(*size))
    image = read_image(source, stated=size[::-1])
    assert close(image.pixels, as_viewers_show(scene(*size), orientation), 2)
    assert "orientation" in image.notes[0].reason


def test_an_image_of_another_resolution_is_scaled_and_one_of_another_shape_refused(tmp_path):
    source = saved(tmp_path, scene(600, 900), "a.png")
    assert read_image(source, stated=(900, 600)).scale == (1, 1)
    assert not read_image(source, stated=(900, 600)).notes
    half = read_image(source, stated=(1800, 1200))
    assert half.scale == (0.5, 0.5)
    assert "900 x 600" in half.notes[0].reason
    assert "1800 x 1200" in half.notes[0].reason
    assert read_image(source, stated=(899, 600)).scale == (1, 1)
    for stated in ((600, 900), (900, 640), (800, 600)):
        with pytest.raises(UnusableInput, match=f"900 x 600 .* {stated[0]} x {stated[1]}"):
            read_image(source, stated=stated)
    with pytest.raises(UnusableInput, match="turned"):
        read_image(source, stated=(600, 900))


def huge_png(path, side=60_000):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b""))


def test_an_image_over_the_limit_is_refused_by_its_header(tmp_path):
    huge_png(tmp_path / "bomb.png")
    with pytest.raises(UnusableInput, match=r"over the limit of 200000000 pixels; raise data\.max_pixels"):
        read_image(ImageSource(tmp_path / "bomb.png"))
    source = saved(tmp_path, scene(60, 90), "a.png")
    assert read_image(source, max_pixels=5400).pixels.size == 5400
    for limit in (5399, 2000):
        with pytest.raises(UnusableInput, match=f"limit of {limit}"):
            read_image(source, max_pixels=limit)


def encoded(name, image=None):
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (200, 300), dtype=np.uint8)
    kind = {"jpg": "JPEG", "png": "PNG", "tif": "TIFF", "webp": "WEBP", "jp2": "JPEG2000"}[name]
    Image.fromarray(noise if image is None else image).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["jpg", "png", "tif", "webp", "jp2"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_a_truncated_image_is_refused(tmp_path, kind, share):
    data = encoded(kind)
    for name, content in (
        ("cut", data[: int(len(data) * share)]),
        ("filled", data[: int(len(data) * share)].ljust(len(data), b"\0")),
    ):
        path = tmp_path / f"{name}.{kind}"
        path.write_bytes(content)
        if name == "filled" and kind in ("tif", "webp", "jp2"):
            continue  # nothing in these formats tells black or damaged pixels from meant ones
        with pytest.raises(UnusableInput, match=f"{name}.{kind}"):
            read_image(ImageSource(path))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("colour", [False, True])
def test_a_jpeg_damaged_in_its_middle_is_used_with_a_note(tmp_path, channels, colour):
    """Its end is in order, so that it is no truncated one, and Pillow decodes it without a word."""
    noise = np.random.default_rng(0).integers(0, 255, (200, 300, 3) if colour else (200, 300), dtype=np.uint8)
    data = bytearray(encoded("jpg", noise))
    path = tmp_path / "page.jpg"
    path.write_bytes(data)
    whole = read_image(ImageSource(path), channels)
    assert whole.notes == ()
    mode = "RGB" if channels == 3 else "L"
    assert close(whole.pixels, np.asarray(Image.open(path).convert("RGB").convert(mode)), 1.0)
    middle = len(data) // 2
    data[middle : middle + 512] = bytes((byte ^ 0x11) & 0x7F for byte in data[middle : middle + 512])
    path.write_bytes(data)
    harmed = read_image(ImageSource(path), channels)
    assert harmed.pixels.shape == whole.pixels.shape
    assert np.array_equal(harmed.pixels[:80], whole.pixels[:80])
    (note,) = harmed.notes
    assert "page.jpg: its JPEG data are damaged" in note.reason


@pytest.mark.parametrize(
    "content", [b"<?xml version='1.0'?><PcGts/>", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"\x89PNG\r\n\x1a\n", b"\0" * 5000]
)
def test_what_is_no_image_is_refused(tmp_path, content):
    path = tmp_path / "page.jpg"
    path.write_bytes(content)
    with pytest.raises(UnusableInput, match=r"page\.jpg: .*(not an image|damaged)"):
        read_image(ImageSource(path))


def test_missing_empty_and_folder(tmp_path):
    with pytest.raises(UnusableInput, match=r"gone\.jpg: the image is missing"):
        read_image(ImageSource(tmp_path / "gone.jpg"))
    (tmp_path / "empty.jpg").write_bytes(b"")
    with pytest.raises(UnusableInput, match=r"empty\.jpg: .*empty"):
        read_image(ImageSource(tmp_path / "empty.jpg"))
    with pytest.raises(UnusableInput, match="folder"):
        read_image(ImageSource(tmp_path))


def test_an_image_that_may_not_be_read(tmp_path):
    source = saved(tmp_path, scene(), "a.png")
    source.path.chmod(0)
    try:
        source.path.open("rb").close()
    except PermissionError:
        with pytest.raises(UnusableInput, match="may not be read"):
            read_image(source)
    else:
        pytest.skip("this user may read everything")
