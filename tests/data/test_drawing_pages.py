from dataclasses import fields, replace

import cv2
import numpy as np
import pytest
from drawing_helpers import CLEAN, SMALL, draw_curved_page, ink_owner
from lxml import etree

from uncial.data.synthetic.options import DrawingOptions, parse_drawing_options
from uncial.data.synthetic.page import draw_page
from uncial.data.synthetic.writing import draw_hand
from uncial.errors import UserError
from uncial.formats.page_xml.new_document import build_page_xml

TEXTS = ["Gjennom skogen går", "fjord og bergtoppen", "Jypling på øya", "hengjer fyldig"]


def inside(drawn, number):
    mask = np.zeros(drawn.image.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.array(drawn.page.lines[number].polygon, np.int32)], 1)
    return mask.astype(bool)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_polygon_holds_its_lines_ink_and_no_other(seed):
    drawn = draw_curved_page(TEXTS, curvature=0.03, skew=1.5, waviness=0.1, spacing=1.4, seed=seed)
    owner = ink_owner(drawn)
    for number in range(len(TEXTS)):
        mask = inside(drawn, number)
        assert (mask & (owner == number + 1)).sum() == (owner == number + 1).sum() > 200
        assert not (mask & (owner > 0) & (owner != number + 1)).any()


def test_where_lines_touch_a_polygon_still_holds_its_own_ink_and_little_of_the_others():
    drawn = draw_curved_page(TEXTS * 2, spacing=0.85)
    owner = ink_owner(drawn)
    for number in range(len(TEXTS) * 2):
        own = owner == number + 1
        assert (inside(drawn, number) & own).sum() > 0.995 * own.sum()
        assert (inside(drawn, number) & (owner > 0) & ~own).sum() < 0.08 * own.sum()


@pytest.mark.parametrize("curvature", [-0.06, 0.0, 0.06])
def test_letters_stand_on_the_baseline_that_the_truth_states(curvature):
    level = replace(CLEAN, jitter=0.0)
    drawn = draw_curved_page(
        ["nummer nennen nunmemnu xmann"], curvature=curvature, skew=2.0, waviness=0.05, options=level
    )
    line, ink = drawn.page.lines[0], drawn.inks[0]
    x, y = np.array(line.baseline).T
    chord = y[0] + (y[-1] - y[0]) * (x - x[0]) / (x[-1] - x[0])
    assert np.max(np.abs(chord - y)) == pytest.approx(abs(curvature) * (x[-1] - x[0]), abs=4)
    rows, columns = np.nonzero(ink.coverage > 128)
    below = rows + ink.top + 0.5 - np.interp(columns + ink.left + 0.5, x, y)
    feet = [below[(columns + ink.left) // 40 == part].max() for part in np.unique((columns + ink.left) // 40)[1:-1]]
    assert np.all(np.abs(feet) < 4.5)


def test_the_page_says_what_it_shows():
    drawn = draw_page(3, SMALL)
    page = drawn.page
    assert (page.height, page.width) == drawn.image.shape[:2]
    assert len(page.lines) == len(drawn.inks)
    assert page.hand == "hand_02"
    assert {line.region_id for line in page.lines} == {region.id for region in page.regions}
    for line in page.lines:
        x, y = np.array(line.polygon).T
        assert x.min() >= 0
        assert y.min() >= 0
        assert x.max() < page.width
        assert y.max() < page.height
        region = next(r for r in page.regions if r.id == line.region_id)
        assert cv2.contourArea(np.array(region.polygon, np.float32)) >= cv2.contourArea(
            np.array(line.polygon, np.float32)
        )


def test_the_same_seed_draws_the_same_pixels_and_truth_and_another_seed_others():
    first, same, other = draw_page(1, SMALL), draw_page(1, SMALL), draw_page(1, replace(SMALL, seed=2))
    assert np.array_equal(first.image, same.image)
    assert build_page_xml(first.page) == build_page_xml(same.page) != build_page_xml(other.page)
    assert first.image.shape != other.image.shape or not np.array_equal(first.image, other.image)


def test_a_page_does_not_depend_on_how_many_there_are():
    assert np.array_equal(draw_page(1, SMALL).image, draw_page(1, replace(SMALL, pages=50)).image)


def test_hands_differ_from_each_other_more_than_from_themselves():
    options = replace(CLEAN, hands=6, size=(56, 56))
    text = ["mange vennlige hender skrev her"] * 2

    def measure(number):
        drawn = draw_page(number, options, text)
        area, length = (
            np.mean(v) for v in zip(*[((i.coverage > 128).sum(), i.coverage.shape[1]) for i in drawn.inks], strict=True)
        )
        return np.log([length, area / length])

    pages = np.array([[measure(hand), measure(hand + options.hands)] for hand in range(options.hands)])
    within = np.abs(pages[:, 0] - pages[:, 1]).mean(axis=0)
    between = pages.mean(axis=1).std(axis=0)
    assert np.all(between > 1.5 * within)
    assert len({draw_hand(n, options).ink for n in range(6)}) == 6


def test_two_of_the_same_letter_are_not_the_same():
    drawn = draw_curved_page(["nn nn"], options=replace(CLEAN, jitter=0.6, connected=0.0))
    ink = drawn.inks[0].coverage
    count, _, boxes, _ = cv2.connectedComponentsWithStats((ink > 100).astype(np.uint8))
    sizes = {tuple(box[2:5]) for box in boxes[1:count]}
    assert len(sizes) == count - 1


@pytest.mark.parametrize(
    ("key", "value", "quantity"),
    [
        ("bold", 1.0, lambda d: sum((i.coverage > 128).sum() for i in d.inks)),
        ("underline", 1.0, lambda d: sum((i.coverage > 128).sum() for i in d.inks)),
        ("italic", 1.0, lambda d: d.inks[0].coverage.shape[1]),
        ("size", (90, 90), lambda d: d.inks[0].coverage.shape[0]),
        ("spacing", (2.0, 2.0), lambda d: d.image.shape[0]),
        ("noise", 12.0, lambda d: np.std(d.image[:12, :12].astype(float))),
        ("blur", (3.0, 3.0), lambda d: -cv2.Laplacian(d.image, cv2.CV_64F).std()),
        ("fading", 1.0, lambda d: d.image.mean()),
        ("texture", 1.0, lambda d: d.image.std(axis=(0, 1)).sum() if d.image.std() else 0),
        ("stains", 1.0, lambda d: -d.image[:, :, 2].mean()),
        ("ruling", 1.0, lambda d: -d.image[:, 5].min().astype(float)),
        ("show_through", 1.0, lambda d: -float(d.image.mean())),
        ("skew", (4.0, 4.0), lambda d: d.page.lines[0].baseline[-1][1] - d.page.lines[0].baseline[0][1]),
        ("curvature", (0.1, 0.1), lambda d: d.inks[0].coverage.shape[0]),
        ("slant", (35.0, 35.0), lambda d: d.inks[0].coverage.shape[1]),
    ],
)
def test_an_option_changes_what_it_says(key, value, quantity):
    plain = replace(
        CLEAN, size=(50, 50), slant=(0, 0), skew=(0, 0), curvature=(0, 0), waviness=(0, 0), spacing=(1.2, 1.2)
    )
    before = quantity(draw_page(0, plain, ["bill hill", "dill fill"]))
    after = quantity(draw_page(0, replace(plain, **{key: value}), ["bill hill", "dill fill"]))
    assert after > before


def test_capitals_and_long_s_are_drawn_and_transcribed():
    options = replace(CLEAN, upper_case=1.0)
    assert [line.text for line in draw_page(0, options, ["große æble"]).page.lines] == ["GROSSE ÆBLE"]
    assert [line.text for line in draw_page(0, replace(CLEAN, long_s=1.0), ["es ist"]).page.lines] == ["es iſt"]
    assert [line.text for line in draw_page(0, replace(CLEAN, long_s=0.0), ["es ist"]).page.lines] == ["es ist"]


def test_grey_pages():
    assert draw_page(0, replace(SMALL, colour=False)).image.ndim == 2


def test_generated_pages_have_furniture_in_regions_of_their_own():
    page = draw_page(0, replace(SMALL, lines=(12, 12), furniture=1.0)).page
    kinds = [region.type for region in page.regions]
    assert kinds[:2] == ["page-number", "heading"]
    assert kinds[-1] == "catch-word"
    assert set(kinds[2:-1]) == {"paragraph"}
    assert page.lines[0].text.isdigit()


def test_given_texts_are_all_that_stands_on_a_page():
    page = draw_page(0, replace(SMALL, furniture=1.0), TEXTS * 3).page
    assert [line.text for line in page.lines] == TEXTS * 3


@pytest.mark.real_data
def test_the_xml_is_valid_page(real_data):
    schema = etree.XMLSchema(etree.parse(real_data / "kraken-resources/tests/resources/pagecontent.xsd"))
    for number in range(4):
        page = draw_page(number, replace(SMALL, lines=(12, 12), furniture=1.0)).page
        schema.assertValid(etree.fromstring(build_page_xml(page, "2019-07-15")))
        # The elements used are the same in both versions; their schema differs in its namespace.
        older = build_page_xml(page, "2013-07-15").replace(b"2013-07-15", b"2019-07-15")
        schema.assertValid(etree.fromstring(older))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"page": 3}, r"data\.options\.page is not an option.*pages"),
        ({"pages": "many"}, r"data\.options\.pages is 'many'; write a number"),
        ({"pages": 0}, r"data\.options\.pages is 0; it must be at least 1"),
        ({"size": [60, 40]}, r"data\.options\.size is \[60, 40\]; write \[least, most\]"),
        ({"size": [1, 2, 3]}, r"data\.options\.size"),
        ({"size": -3}, r"data\.options\.size .* above 0"),
        ({"italic": 2}, r"data\.options\.italic is 2.*between 0 and 1"),
        ({"colour": "yes"}, r"data\.options\.colour is 'yes'; write true or false"),
        ({"image": "gif"}, r"data\.options\.image is gif; choose jpg or png"),
        ({"pages": 2.5}, r"data\.options\.pages is 2\.5; write whole numbers"),
        ({"lines": [0.5, 3]}, r"data\.options\.lines is \[0\.5, 3\]; write whole numbers"),
        ({"lines": 0}, r"data\.options\.lines is \[0, 0\]; it must be at least 1"),
        ({"seed": -1}, r"data\.options\.seed is -1; it must be at least 0"),
        ({"size": [10, float("inf")]}, r"data\.options\.size is \[10, inf\]; write \[least, most\]"),
        ({"noise": -2}, r"data\.options\.noise is -2\.0; it must be between 0 and 255"),
        ({"quality": 500}, r"data\.options\.quality is 500; it must be between 1 and 100"),
        ({"slant": [0, 90]}, r"data\.options\.slant is \[0\.0, 90\.0\]; it must be between -75 and 75"),
        ({"languages": None}, r"data\.options\.languages is None; write one of latin"),
        ({"languages": ["latin", "dutch"]}, r"data\.options\.languages names \['dutch'\]"),
    ],
)
def test_a_wrong_option_is_named(options, message):
    with pytest.raises(UserError, match=message):
        parse_drawing_options(options)


def test_one_number_stands_for_a_range_and_defaults_for_what_is_not_given():
    drawn = parse_drawing_options({"size": 44, "languages": "german"})
    assert drawn == DrawingOptions(size=(44.0, 44.0), languages=("german",))
    assert {f.name for f in fields(drawn)} > {"italic", "bold", "underline", "upper_case", "noise", "blur", "long_s"}
