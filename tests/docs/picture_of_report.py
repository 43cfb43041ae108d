"""Makes docs/images/report.png anew, from the report of a test on drawn pages, whose pictures are nobody's.

python run.py name=picture
python run.py task=test checkpoint=RUN
python tests/docs/picture_of_report.py TEST/report.html
"""

import base64
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WIDTH, LINES = 920, 3
WITHOUT_TABLES = "['scores', 'misread', 'confidence'].forEach(id => document.getElementById(id).style.display = 'none')"
END = f"document.querySelectorAll('article.card')[{LINES - 1}].getBoundingClientRect().bottom + 6"


def main() -> None:
    sys.path.insert(0, str(ROOT / "tests" / "helpers"))
    from chromium import Chromium, find_chromium

    program = find_chromium()
    if program is None:
        sys.exit("No Chromium: install it, or name it in the environment variable CHROMIUM.")
    with tempfile.TemporaryDirectory() as profile:
        browser = Chromium(program, Path(profile))
        browser.resize(WIDTH, 1300)
        browser.prefer("light")
        browser.open(Path(sys.argv[1]).absolute())
        browser.run(WITHOUT_TABLES)
        # The picture has no scroll bar, which would narrow the lines that are measured.
        browser.run("document.documentElement.style.overflow = 'hidden'")
        clip = {"x": 0, "y": 0, "width": WIDTH, "height": browser.run(END), "scale": 1}
        shot = browser.command("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        browser.close()
    (ROOT / "docs" / "images" / "report.png").write_bytes(base64.b64decode(shot["data"]))


if __name__ == "__main__":
    main()
