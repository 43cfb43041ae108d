"""The text of synthetic pages: generated from word material, or cut from a text file."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from uncial.errors import UserError
from uncial.text.characters import split_units


@dataclass(frozen=True)
class WordMaterial:
    """Words of one language, and onsets, nuclei and codas of its syllables, separated by blanks (`-` is none)."""

    language: str
    words: str
    onsets: str
    nuclei: str
    codas: str
    endings: str


MATERIAL = {
    "latin": WordMaterial(
        "la",
        "et in non est ad cum ex per sed quod ut si qui quae hoc ab de pro sunt atque terra dies annus nomen liber "
        "aqua domus via rex lex vita manus tempus locus mare mons ager equus pater mater frater filius verbum "
        "littera pagina calamus charta urbs populus bellum pax magnus parvus novus vetus bonus sanctus primus "
        "scribit legit dixit venit fuit erat habet facit quondam semper numquam saepe inter sub post ante",
        "b c d f g l m n p r s t v st tr pr gr cl fl br qu scr x h",
        "a e i o u ae au",
        "- - - n r s t x l m nt nd rs st ct",
        "us um a is am em o it at unt ens tio que",
    ),
    "german": WordMaterial(
        "de",
        "und der die das nicht ist ein eine mit von zu auf für über wir ihr sie war haben wird schön groß klein weiß "
        "Straße Haus Brücke Mühle Bäcker Schlüssel Fuß Gruß Wasser Berg Fluß König Bürger Kirche Rathaus Jahr Tag "
        "Monat Brief Tinte Feder Papier Schrift Bücher Wörter häufig früher später zwölf fünf müssen können "
        "dürfen wäre hätte Öl Äpfel Übung jeder jetzt ganz kurz zwischen während heiß süß daß muß",
        "b d f g h k l m n p r s t w z sch st br gr kr tr schw pf qu j v",
        "a e i o u ä ö ü ei au eu ie",
        "- n r l m ch ck ng ß tz st cht ft",
        "en er e ung lich heit isch ig el chen",
    ),
    "french": WordMaterial(
        "fr",
        "et le la les un une des du dans pour avec sur par est été être avoir déjà très même où à nous vous ils elle "
        "père mère frère sœur cœur œuvre maison forêt château rivière hiver été année siècle lettre encre plume papier "
        "français façade garçon leçon reçu dîner île goût août noël naïf maïs élève école église évêque prêtre "
        "hôtel côté tôt bientôt voilà peut-être aujourd'hui quelque chaque jeune vieux beau grande joyeux deux",
        "b c d f g j l m n p r s t v ch br cr pl tr gr bl qu ph vr",
        "a e i o u é è ê ou ai eau oi â î ô û eu",
        "- - - n r l s t x c nt rs",
        "ment tion eur euse age ée ère ais ez é er ique",
    ),
    "norwegian": WordMaterial(
        "no",
        "og i det en et på til som av for med er var han hun vi de jeg ikke har skal kan må når så også år gård fjell "
        "fjord sjø øy ås å vær værelse være nær bær hær læreren bøker brøt prest bonde kjøpe selge gå stå få går "
        "måned høst vår vinter snø skog elv bro båt ærlig æble økse øvre årlig ånd åker brev blekk papir penn skrift "
        "søster bror far mor datter sønn hus dør vindu bord stol kjære gjøre gjennom mellom hjem hvor hvad",
        "b d f g h j k l m n p r s t v sk st sj kj fj hv gj bl br kr tr gr",
        "a e i o u y å ø æ ei au øy",
        "- n r l m k g t s nd rt st sk ng",
        "en et er ene te else het lig ing dom",
    ),
    "spanish": WordMaterial(
        "es",
        "y el la los las de en un una que con por para no sí más año niño señor mañana otoño España camino pequeño "
        "montaña corazón razón casa río mar tierra libro pluma tinta papel día noche después también aquí allí "
        "ciudad pueblo iglesia rey reina padre madre hijo hermano compañero sueño leña viña daño uña bueno viejo",
        "b c d f g j l ll m n ñ p r s t v z ch br cr tr pl qu",
        "a e i o u á é í ó ú ue ie",
        "- - - n r s l z d",
        "ado ido ción mente oso era ito illa ar er ir",
    ),
}

LONG_S = "ſ"
_JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
_VISIBLE_FORMATS = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
"""Signs that are written round or under what follows them, Arabic numbers' and verses' for instance."""


def generate_lines(
    language: str, count: int, length: int, rng: np.random.Generator, drawable: Callable[[str], bool] = lambda _: True
) -> list[str]:
    """`count` lines of plausible text of about `length` characters each, without words that are not drawable."""
    material = MATERIAL[language]
    lines: list[str] = []
    words: list[str] = []
    used, target = 0, _draw_line_length(length, rng)
    at_start = True
    for _ in range(200 * count * max(length, 8)):
        if len(lines) == count:
            break
        word, ends_sentence = _draw_next_word(material, at_start, rng)
        if not drawable(word):
            continue
        at_start = ends_sentence
        room = target - used - (1 if words else 0)
        if words and len(word) > room:
            head, tail = _hyphenate(word, room, rng) if drawable("-") else ("", word)
            lines.append(" ".join([*words, head] if head else words))
            words, used, target, word = [], 0, _draw_line_length(length, rng), tail
        words.append(word)
        used += len(word) + (1 if used else 0)
    if len(lines) < count:
        raise UserError(
            "data.options.fonts holds no font with enough Latin letters to draw generated text; give data.options.text."
        )
    return lines


def _draw_line_length(length: int, rng: np.random.Generator) -> int:
    return max(int(length * rng.uniform(0.88, 1.08)), 6)


def _draw_next_word(material: WordMaterial, at_start: bool, rng: np.random.Generator) -> tuple[str, bool]:
    """Return a word with its punctuation, and whether a sentence ends with it."""
    kind = rng.random()
    if kind < 0.07:
        word = _draw_number(rng)
    elif kind < 0.42:
        word = _invent_word(material, rng)
    else:
        words = material.words.split()
        word = words[rng.integers(len(words))]
    if at_start or rng.random() < 0.10:
        word = word[:1].upper() + word[1:] if word[:1] != "ß" else word
    if rng.random() < 0.015:
        word = word.upper() if "ß" not in word else word
    return _punctuate(word, rng)


def _invent_word(material: WordMaterial, rng: np.random.Generator) -> str:
    def one_of(parts: str) -> str:
        choices = parts.split()
        part = choices[rng.integers(len(choices))]
        return "" if part == "-" else part

    syllables = [
        one_of(material.onsets) + one_of(material.nuclei) + one_of(material.codas) for _ in range(rng.integers(1, 3))
    ]
    ending = one_of(material.endings) if rng.random() < 0.6 else ""
    return "".join(syllables) + ending


def _draw_number(rng: np.random.Generator) -> str:
    kind = rng.integers(5)
    if kind == 0:
        return str(rng.integers(1500, 1950))
    if kind == 1:
        return f"{rng.integers(1, 32)}/{rng.integers(1, 13)}"
    if kind == 2:
        return f"{rng.integers(1, 100)},{rng.integers(0, 100):02d}"
    if kind == 3:
        return f"§{rng.integers(1, 60)}"
    return str(rng.integers(1, 10000))


def _punctuate(word: str, rng: np.random.Generator) -> tuple[str, bool]:
    kind = rng.random()
    if kind < 0.09:
        return word + ".", True
    if kind < 0.18:
        return word + ",", False
    if kind < 0.235:
        mark = ";:!?&"[rng.integers(5)]
        return (word + " &", False) if mark == "&" else (word + mark, mark in "!?")
    if kind < 0.25:
        return f"({word})", False
    if kind < 0.265:
        return f"„{word}“", False
    if kind < 0.28:
        return word + " –", False
    return word, False


def _hyphenate(word: str, room: int, rng: np.random.Generator) -> tuple[str, str]:
    """Return the word cut for the line's end with a hyphen, now and then, as writers do; else ("", word)."""
    if not word.isalpha() or len(word) < 6 or room < 4 or rng.random() > 0.5:
        return "", word
    cut = min(room - 1, len(word) - 3)
    return word[:cut] + "-", word[cut:]


def read_text_file(path: Path, wrap: bool, length: int) -> list[str]:
    """Return the lines of a UTF-8 text file in NFC, or its paragraphs wrapped at about `length` characters.

    A single line longer than twice `length` is wrapped in either case. Control characters and format characters that
    nobody sees are left out, but not those that join letters or part them. Raises `UserError` when the file cannot be
    read or holds no text.
    """
    try:
        content = unicodedata.normalize("NFC", path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UserError(f"data.options.text: cannot read {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"data.options.text: {path} is not UTF-8 (byte {error.start}); save it as UTF-8.") from error
    content = "".join(c for c in content if c.isspace() or c in _JOINERS or needs_glyph(c))
    paragraphs = re.split(r"\n\s*\n", content) if wrap else content.splitlines()
    lines: list[str] = []
    for paragraph in paragraphs:
        text = " ".join(paragraph.split())
        lines += wrap_words(text, length) if wrap or len(text) > 2 * length else [text]
    lines = [line for line in lines if line]
    if not lines:
        raise UserError(f"data.options.text: {path} holds no text.")
    return lines


def needs_glyph(character: str) -> bool:
    """Return whether a character is seen where it is written: no white space, no control, no invisible format
    character."""
    invisible = unicodedata.category(character) in ("Cf", "Cc") and character not in _VISIBLE_FORMATS
    return not (invisible or character.isspace())


def wrap_words(text: str, length: int) -> list[str]:
    """Lines of at most `length` characters; a longer word is cut, but no letter from its marks."""
    lines: list[str] = []
    line = ""
    for whole in text.split():
        for word in _cut_word(whole, length):
            if line and len(line) + 1 + len(word) > length:
                lines.append(line)
                line = ""
            line = f"{line} {word}" if line else word
    return [*lines, line] if line else lines


def to_capitals(text: str) -> str:
    """Return the text in upper case and NFC."""
    return unicodedata.normalize("NFC", text.upper())


def _cut_word(word: str, length: int) -> list[str]:
    """Pieces of at most `length` characters; one letter with more marks than that is a piece of its own."""
    if len(word) <= length:
        return [word]
    pieces = [""]
    for letter in split_units(word, "grapheme"):
        if pieces[-1] and len(pieces[-1]) + len(letter) > length:
            pieces.append("")
        pieces[-1] += letter
    return pieces


def with_long_s(text: str) -> str:
    """Return every s that another letter follows becomes ſ; at a word's end (or before a hyphen that joins words) s
    stays."""
    return re.sub(r"s(?=[^\W\d_])", LONG_S, text)
