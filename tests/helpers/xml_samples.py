"""PAGE and ALTO files for tests, as small as they can be, and images beside them."""

from pathlib import Path

from PIL import Image

PAGE_NAMESPACE = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2013-07-15"
ALTO_NAMESPACE = "http://www.loc.gov/standards/alto/ns-v4#"
COORDS = '<Coords points="10,10 90,10 90,30 10,30"/>'
BASELINE = '<Baseline points="10,25 90,25"/>'


def page_line(text: str | None = "text", identifier: str | None = "l1", attributes: str = "", inside: str = "") -> str:
    """A TextLine; `inside` stands between the baseline and the text."""
    own = f'id="{identifier}"' if identifier is not None else ""
    equivalent = "" if text is None else f"<TextEquiv><Unicode>{text}</Unicode></TextEquiv>"
    return f"<TextLine {own} {attributes}>{COORDS}{BASELINE}{inside}{equivalent}</TextLine>"


def page_region(content: str, identifier: str = "r1", attributes: str = "") -> str:
    return f'<TextRegion id="{identifier}" {attributes}><Coords points="0,0 99,0 99,99 0,99"/>{content}</TextRegion>'


def page_xml(
    content: str, image: str = "a.png", attributes: str = "", namespace: str = PAGE_NAMESPACE, metadata: str = ""
) -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<PcGts xmlns="{namespace}">'
        f"<Metadata><Creator>test</Creator>{metadata}</Metadata>"
        f'<Page imageFilename="{image}" imageWidth="100" imageHeight="100" {attributes}>{content}</Page></PcGts>\n'
    )


def alto_line(content: str, identifier: str = "l1", attributes: str = "") -> str:
    place = 'HPOS="10" VPOS="10" WIDTH="80" HEIGHT="20"'
    return f'<TextLine ID="{identifier}" {place} {attributes}>{content}</TextLine>'


def alto_block(content: str, identifier: str = "b1", attributes: str = "") -> str:
    return f'<TextBlock ID="{identifier}" {attributes}>{content}</TextBlock>'


def alto_xml(
    content: str,
    image: str = "a.png",
    unit: str = "pixel",
    head: str = "",
    namespace: str = ALTO_NAMESPACE,
    size: str = 'WIDTH="100" HEIGHT="100"',
) -> str:
    own = f'xmlns="{namespace}"' if namespace else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<alto {own}><Description><MeasurementUnit>{unit}</MeasurementUnit>'
        f"<sourceImageInformation><fileName>{image}</fileName></sourceImageInformation></Description>{head}<Layout>"
        f'<Page ID="p1" {size}><PrintSpace>{content}</PrintSpace></Page></Layout></alto>\n'
    )


def put(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def put_image(path: Path, grey: int = 200, size: tuple[int, int] = (100, 100)) -> Path:
    """A plain image; two greys make two contents."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, grey).save(path)
    return path
