"""The base class of our transforms: alone, mixed with albumentations' own, and as the base of a user's."""

import sys
import textwrap

import albumentations
import numpy as np
import pytest
from stroked_lines import line

from uncial.data.augmentation.chain import AtMost, Augmentation, build_augmentation
from uncial.data.augmentation.distortion import LineWarp
from uncial.data.augmentation.strokes import InkTone
from uncial.data.augmentation.transform import LineTransform
from uncial.errors import UserError

CHAIN = "uncial.data.augmentation.chain.Augmentation"
AT_MOST = "uncial.data.augmentation.chain.AtMost"
WARP = {"_target_": "uncial.data.augmentation.distortion.LineWarp", "slant": 10, "elastic": 0.02}
TONE = {"_target_": "uncial.data.augmentation.strokes.InkTone", "strength": [0.4, 0.9]}
BLUR = {"_target_": "albumentations.MotionBlur", "blur_limit": [3, 5], "p": 0.5}


class Drawing(LineTransform):
    """Changes nothing and notes its number and what it draws."""

    def __init__(self, number: int, drawn: list, p: float = 1.0) -> None:
        super().__init__(p)
        self.number, self.drawn = number, drawn

    def apply(self, image: np.ndarray) -> np.ndarray:
        self.drawn.append((self.number, float(self.random_generator.random())))
        return image


class TheirDrawing(albumentations.ImageOnlyTransform):
    def __init__(self, number: int, drawn: list, p: float = 1.0) -> None:
        super().__init__(p=p)
        self.number, self.drawn = number, drawn

    def apply(self, img: np.ndarray, **params: object) -> np.ndarray:
        self.drawn.append((self.number, float(self.random_generator.random())))
        return img


def test_transforms_of_both_kinds_come_up_and_draw_independently_of_each_other():
    drawn: list = []
    kinds = (Drawing, TheirDrawing)
    chain = Augmentation([kinds[number % 2](number, drawn, p) for number, p in enumerate((0.5, 0.5, 0.1, 1.0, 1.0))])
    applied, values = [], []
    for index in range(600):
        drawn.clear()
        chain(line(), 1, 0, index)
        applied.append([number in dict(drawn) for number in range(3)])
        values.append([value for number, value in drawn if number >= 3])
    assert np.allclose(np.mean(applied, axis=0), (0.5, 0.5, 0.1), atol=0.08)
    assert abs(np.mean(np.all(np.array(applied)[:, :2], axis=1)) - 0.25) < 0.08
    assert abs(np.corrcoef(np.transpose(values))[0, 1]) < 0.2


def group(name: str, *transforms: dict, **keys: object) -> dict:
    return {"_target_": name, "transforms": list(transforms), **keys}


COMPOSITIONS = {
    "OneOf": group("albumentations.OneOf", WARP, BLUR, TONE, p=0.9),
    "SomeOf": group("albumentations.SomeOf", WARP, BLUR, TONE, n=2, p=0.9),
    "Sequential": group("albumentations.Sequential", WARP, BLUR, TONE, p=0.9),
    "RandomOrder": group("albumentations.RandomOrder", WARP, BLUR, TONE, n=2, p=0.9),
    "OneOrOther": group("albumentations.OneOrOther", WARP, TONE, p=0.5),
    "Compose": group("albumentations.Compose", WARP, BLUR, p=0.9),
    "deep": group(
        "albumentations.OneOf",
        group("albumentations.Sequential", group(AT_MOST, WARP, BLUR, count=1)),
        group(AT_MOST, group("albumentations.OneOf", TONE, WARP), count=1),
        p=0.9,
    ),
}


@pytest.mark.parametrize("name", COMPOSITIONS)
def test_a_composition_of_albumentations_gives_ours_the_draws_of_the_line(name):
    config = {"_target_": CHAIN, "transforms": [WARP, COMPOSITIONS[name], BLUR]}
    forwards, backwards = build_augmentation(config), build_augmentation(config)
    keys = [(3, epoch, index) for epoch in range(2) for index in range(12)]
    images = [forwards(line(), *key) for key in keys]
    again = [backwards(line(), *key) for key in reversed(keys)][::-1]
    assert all(np.array_equal(one, other) for one, other in zip(images, again, strict=True))
    assert len({image.tobytes() for image in images}) == len(keys)


def test_ours_made_before_a_composition_draw_from_the_line_too():
    drawn: list = []
    inner = Drawing(0, drawn)
    chain = Augmentation([albumentations.OneOf([inner], p=1.0)])
    inner.set_random_seed(5)
    for _ in range(2):
        chain(line(), 1, 0, 7)
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize(("p", "share"), [(0, 0), (0.3, 0.3), (1, 1)])
def test_a_transform_comes_up_with_its_probability(p, share):
    drawn: list = []
    transform = Drawing(0, drawn, p)
    transform.set_random_seed(1)
    for _ in range(1000):
        transform(image=line(8, 60))
    assert len(drawn) / 1000 == pytest.approx(share, abs=0.05)
    drawn.clear()
    transform(image=line(8, 60), force_apply=True)
    assert len(drawn) == (p > 0)


@pytest.mark.parametrize("p", [-0.1, 1.1, "often", True, None])
def test_a_probability_that_is_none_is_named_with_the_class(p):
    with pytest.raises(UserError, match=r"Drawing\.p is .*; a number from 0 to 1 is needed"):
        Drawing(0, [], p)


def test_what_is_not_an_image_stays():
    data = {"image": line(), "name": "page 3"}
    varied = Drawing(0, [])(**data)
    assert varied["name"] == "page 3"
    assert np.array_equal(varied["image"], data["image"])


def test_a_transform_and_a_composition_with_it_tell_their_keys():
    assert "slant=(-5.0, 5.0)" in repr(LineWarp(slant=5, p=0.5))
    assert "p=0.5" in repr(LineWarp(slant=5, p=0.5))
    assert "LineWarp(" in repr(AtMost(1, [LineWarp()]))
    assert "LineWarp(" in repr(albumentations.OneOf([LineWarp(), albumentations.InvertImg()]))


OWN = '''
import albumentations
import numpy as np

from uncial.data.augmentation.transform import LineTransform


class Blots(LineTransform):
    """Drops of ink."""

    def __init__(self, count=3, p=1.0):
        super().__init__(p)
        self.count = count

    def apply(self, image):
        image = image.copy()
        for _ in range(self.count):
            row, column = (int(self.random_generator.integers(size)) for size in image.shape[:2])
            image[row : row + 4, column : column + 4] = 0
        return image


class Unprepared(LineTransform):
    """Without a word to its base class."""

    def __init__(self, tone=200):
        self.tone = tone

    def apply(self, image):
        return np.minimum(image, self.tone + self.random_generator.integers(3)).astype(np.uint8)


class TheirBlots(albumentations.ImageOnlyTransform):
    def __init__(self, p=1.0):
        super().__init__(p=p)

    def apply(self, img, **params):
        return np.where(self.random_generator.random(img.shape) < 0.01, 0, img).astype(np.uint8)


class Unfinished(LineTransform):
    pass


class Silent(LineTransform):
    def apply(self, image):
        image.mean()


class Narrow(LineTransform):
    def apply(self, image):
        return image[:, :-1]


class Floating(LineTransform):
    def apply(self, image):
        return image / 2


class Failing(LineTransform):
    def apply(self, image):
        raise ValueError("no ink left")


class Foreign:
    def __call__(self, image):
        return image
'''


@pytest.fixture(scope="module", autouse=True)
def own_modules(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    (folder / "own_transforms.py").write_text(textwrap.dedent(OWN), encoding="utf-8")
    sys.path.insert(0, str(folder))
    yield
    sys.path.remove(str(folder))
    sys.modules.pop("own_transforms", None)


def own(name: str, **keys: object) -> dict:
    return {"_target_": CHAIN, "transforms": [{"_target_": f"own_transforms.{name}", **keys}]}


@pytest.mark.parametrize(("name", "keys"), [("Blots", {"count": 5}), ("Unprepared", {}), ("TheirBlots", {})])
def test_a_transform_of_a_user_varies_lines_by_seed_epoch_and_line(name, keys):
    augmentation, again = build_augmentation(own(name, **keys)), build_augmentation(own(name, **keys))
    image = line()
    varied = augmentation(image, 1, 0, 3)
    assert np.array_equal(varied, again(image, 1, 0, 3))
    assert not np.array_equal(varied, image)
    assert any(not np.array_equal(varied, augmentation(image, 1, epoch, 3)) for epoch in range(1, 9))
    assert np.array_equal(image, line())


@pytest.mark.parametrize("composition", ["albumentations.OneOf", AT_MOST])
def test_transforms_of_a_user_in_a_composition(composition):
    keys = {"count": 1} if composition == AT_MOST else {"p": 1.0}
    inner = [*own("Blots")["transforms"], *own("TheirBlots")["transforms"], TONE]
    config = {"_target_": CHAIN, "transforms": [group(composition, *inner, **keys)]}
    images = [build_augmentation(config)(line(), 1, 0, index) for index in range(8)]
    assert all(np.array_equal(image, build_augmentation(config)(line(), 1, 0, i)) for i, image in enumerate(images))
    assert len({image.tobytes() for image in images}) > 2


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (own("Blots", p=2), r"Blots\.p is 2; a number from 0 to 1"),
        (own("Blots", many=3), "many"),
        (own("Unfinished"), "abstract method '?apply"),
        (own("Silent"), r"augmentation\.transforms\.0: .*into NoneType"),
        (own("Narrow"), r"augmentation\.transforms\.0: .*\(48, 160\) into uint8 \(48, 159\)"),
        (own("Floating"), r"augmentation\.transforms\.0: .*into float64"),
        (own("Failing"), r"augmentation\.transforms\.0 \(Failing\) cannot be applied.*no ink left"),
        (own("Foreign"), "is no transform.*LineTransform"),
        (own("Nowhere"), "Nowhere"),
        (own("Blots", _partial_=True), "is no transform"),
        (group(CHAIN, group(AT_MOST, *own("Foreign")["transforms"], count=1)), "is no transform.*AtMost"),
        (group(CHAIN, {"_target_": "albumentations.OneOf", "transforms": WARP}), "a sequence is expected"),
    ],
)
def test_mistakes_in_a_transform_of_a_user_are_said_before_the_training(config, told):
    with pytest.raises(UserError, match=told) as error:
        build_augmentation(config)
    assert "\n" not in str(error.value)


def test_a_class_where_a_transform_is_needed_is_refused():
    with pytest.raises(UserError, match="is no transform"):
        Augmentation([InkTone])


def test_the_program_trains_with_a_transform_of_a_user_and_tells_of_a_wrong_one(run, drawn):
    from program import TINY

    typed = ("data=page", f"data.root={drawn / 'page'}", *TINY, "trainer.max_steps=2", "trainer.validations=1")
    ended = run(*typed, "augmentation.transforms=[{_target_: own_transforms.Blots, count: 4, p: 0.5}]")
    assert ended.code == 0, ended
    ended = run(*typed, "augmentation.transforms=[{_target_: own_transforms.Narrow}]", into="narrow")
    assert ended.code == 1, ended
    assert "augmentation.transforms.0: The augmentation turns uint8" in ended.output
    assert "Traceback" not in ended.output
