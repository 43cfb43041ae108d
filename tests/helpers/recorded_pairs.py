"""Lines with what was read in them, and what torchmetrics, jiwer and kraken made of them.

Recorded with torchmetrics 1.9.0 (`CharErrorRate`, `WordErrorRate`), jiwer 4.0.0 (`process_characters`, `process_words`)
and kraken 7.1.1 (the test loop of its recognition module and its `render_report`; NFC and its normalisation of spaces).
"""

PAIRS = [
    ("kitten sat", "sitting sat"),
    ("ſeneſcal de ꝑis", "seneſcal ꝑis"),
    ("Bonjour le monde", "bonjour  monde le"),
    ("a b c d", "a b d e f"),
    ("abc", "abc"),
    ("  Élève  du 2nd rang. ", "Eleve du 2nd rang"),
    ("e\u0301te\u0301", "été"),
    ("μῆνιν ἄειδε θεά", "μηνιν αειδε, θεα"),
    ("שָׁלוֹם עֲלֵיכֶם", "שלום עליכם"),
    ("السلام عليكم", "السلم عليكم و"),
    ("abb aab", "ab ab"),
    ("\uf1ac\u0303 “quoted” & <b>", "\uf1ac 'quoted' & <b>"),
    ("rien", ""),
    ("Ligne d’essai, n° 7", "ligne dessai n° 1"),
]
"""Truth and reading."""

JIWER_LINES = [
    (1, 0, 2, 1),
    (0, 3, 1, 2),
    (3, 2, 1, 3),
    (2, 0, 2, 3),
    (0, 0, 0, 0),
    (0, 2, 2, 2),
    (0, 2, 2, 1),
    (1, 0, 3, 3),
    (0, 6, 0, 2),
    (2, 1, 0, 2),
    (0, 2, 0, 2),
    (0, 1, 2, 2),
    (0, 4, 0, 1),
    (0, 2, 2, 3),
]
"""Insertions, deletions and substitutions of characters, and edits of words, of each line by itself."""

KETOS_NFC = """\
=== report  ===

163	Characters
47	Errors
71.17%	Character Accuracy
72.39%	Character Accuracy (Case-insensitive)
27.78%	Word Accuracy

9	Insertions
23	Deletions
15	Substitutions

Count	Missed	%Right
1	0	100.00%	Unknown
11	1	90.91%	Arabic
88	19	78.41%	Latin
13	3	76.92%	Greek
34	8	76.47%	Common
15	6	60.00%	Hebrew
1	1	0.00%	Inherited

Errors	Correct-Generated
3	{ e } - {  }
3	{  } - { SPACE }
2	{ SPACE } - {  }
1	{ k } - { s }
1	{ e } - { i }
1	{  } - { g }
1	{ ſ } - { s }
1	{ d } - {  }
1	{ B } - { b }
1	{ l } - {  }
1	{  } - { l }
1	{  } - { e }
1	{ c } - { d }
1	{ d } - { e }
1	{  } - { f }
1	{ É } - { E }
1	{ è } - { e }
1	{ . } - {  }
1	{ ῆ } - { η }
1	{ ἄ } - { α }
1	{  } - { , }
1	{ ά } - { α }
1	{ HEBREW POINT QAMATS } - {  }
1	{ HEBREW POINT SHIN DOT } - {  }
1	{ HEBREW POINT HOLAM } - {  }
1	{ HEBREW POINT HATAF PATAH } - {  }
1	{ HEBREW POINT TSERE } - {  }
1	{ HEBREW POINT SEGOL } - {  }
1	{ ا } - {  }
1	{  } - { و }
1	{ b } - {  }
1	{ a } - {  }
1	{ COMBINING TILDE } - {  }
1	{ “ } - { &#39; }
1	{ ” } - { &#39; }
1	{ r } - {  }
1	{ i } - {  }
1	{ n } - {  }
1	{ L } - { l }
1	{ ’ } - {  }
1	{ , } - {  }
1	{ 7 } - { 1 }
"""
