"""Word material for synthetic text: everyday words and the syllables from which further ones are made."""

from dataclasses import dataclass


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
