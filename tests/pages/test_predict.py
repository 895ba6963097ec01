"""The page of predictions in a real browser."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.pictures import BLUE, GREEN, RED, encoded, halves, solid
from tests.pages.browser import Tab
from tests.pages.site import Site

pytestmark = pytest.mark.timeout(240)
ANSWERED = "document.querySelector('.bar') && !document.querySelector('[aria-busy=true]')"


@pytest.fixture
def page(tab: Tab, pages: Site) -> Tab:
    tab.open(f"{pages.url}/")
    tab.until("document.querySelector('#model').value")
    return tab


def picture(folder: Path, name: str, content: bytes) -> Path:
    file = folder / name
    file.write_bytes(content)
    return file


def ask(page: Tab, *files: Path) -> None:
    page.pick("#file", files)
    page.until(f"document.querySelectorAll('.card').length >= {len(files)}")
    page.until(
        "[...document.querySelectorAll('.card')].every((one) => one.querySelector('.bar, .wrong'))"
        " && !document.querySelector('[aria-busy=true]')"
    )


def test_picked_photo_gets_three_answers_with_their_uncertainty(page: Tab, tmp_path: Path) -> None:
    ask(page, picture(tmp_path, "red.png", encoded(solid(RED))))
    assert page.text(".output.single .headline") == "Red"
    assert "red: this is right for 90 %" in page.text(".output.single").replace("\n", " ")
    assert "red holds" in page.text(".output.multi")
    assert "entropy" in page.text(".output.distribution")
    shares = page.run("document.querySelector('.wheel').ariaLabel")
    assert shares == "red 58 %, green 21 %, blue 21 %"
    widths = page.run(
        "[...document.querySelectorAll('.single .bar')].map((bar) => "
        "bar.querySelector('.fill').offsetWidth / bar.querySelector('.track').offsetWidth)"
    )
    assert widths == pytest.approx([0.576, 0.212, 0.212], abs=0.02)
    assert page.text("#status") == "red.png: red, 57.6 %"


def test_another_label_shows_its_evidence_and_the_slider_fades_it(
    page: Tab, tmp_path: Path
) -> None:
    ask(page, picture(tmp_path, "halves.png", encoded(halves(RED, BLUE))))
    before = page.run("document.querySelector('.overlay').src")
    page.run("document.querySelector('.multi .bar[aria-label^=blue]').click()")
    page.until("document.querySelector('figcaption').innerText.includes('blue (multi)')")
    page.until("document.querySelector('.multi .bar[aria-label^=blue]').ariaPressed === 'true'")
    assert page.run("document.querySelector('.overlay').src") != before
    page.choose(".heated input[type=range]", "40")
    assert page.run("getComputedStyle(document.querySelector('.overlay')).opacity") == "0.4"
    page.choose(".heated input[type=range]", "0")
    assert page.run("document.querySelector('.overlay').hidden")
    page.click(".heated input[type=checkbox]")
    assert page.text(".cells").split() == ["0.0", "1.0", "0.0", "1.0"]


def test_overlay_lies_exactly_on_the_photo(page: Tab, tmp_path: Path) -> None:
    ask(page, picture(tmp_path, "halves.png", encoded(halves(RED, BLUE, (300, 200)))))
    box = "(({x, y, width, height}) => [x, y, width, height].map(Math.round))"
    photo, overlay = (
        page.run(f"{box}(document.querySelector('.{name}').getBoundingClientRect())")
        for name in ("photo", "overlay")
    )
    assert photo == overlay


def test_bad_file_has_its_error_in_its_place_and_the_others_are_answered(
    page: Tab, tmp_path: Path
) -> None:
    good = picture(tmp_path, "green.png", encoded(solid(GREEN)))
    bad = picture(tmp_path, "broken.jpg", b"this is no image")
    page.pick("#file", [good, bad])
    page.until("document.querySelector('.bar') && document.querySelector('.card .wrong')")
    assert "not" in page.text(".card[aria-label='broken.jpg'] .wrong")
    assert page.text(".card[aria-label='green.png'] .headline") == "Green"
    assert page.run("!document.querySelector('#all').hidden")
    refused = [each for each in page.complaints() if "415" not in each]
    assert refused == []  # the browser itself tells of every refusal
    page.pipe.events.clear()


def test_dropped_and_pasted_pictures_are_taken(page: Tab) -> None:
    page.run(
        """(async () => {
          const canvas = new OffscreenCanvas(32, 32);
          const brush = canvas.getContext('2d');
          for (const [colour, kind] of [['#00f', 'drop'], ['#0f0', 'paste']]) {
            brush.fillStyle = colour;
            brush.fillRect(0, 0, 32, 32);
            const held = new DataTransfer();
            held.items.add(new File([await canvas.convertToBlob()], `${kind}.png`));
            const event = kind === 'drop' ? new DragEvent('drop', { dataTransfer: held })
              : new ClipboardEvent('paste', { clipboardData: held });
            document.dispatchEvent(event);
          }
        })()"""
    )
    for name, colour in (("drop", "Blue"), ("paste", "Green")):
        headline = f".card[aria-label='{name}.png'] .headline"
        page.until(f'document.querySelector("{headline}")')
        assert page.text(headline) == colour


def test_two_versions_are_compared(page: Tab, tmp_path: Path) -> None:
    page.choose("#compare", "tiny@2")
    ask(page, picture(tmp_path, "red.png", encoded(solid(RED))))
    page.until("document.querySelectorAll('.reading .headline').length === 2")
    page.until("document.querySelector('.other')")
    assert "Both say red." in page.text(".difference")
    assert page.text(".reading:nth-child(2) .model-name") == "tiny, version 2"
    assert "+0.0" in page.text(".reading:nth-child(2) .single .bar")


def test_calls_that_are_shown_give_the_answer_that_is_shown(
    page: Tab, pages: Site, tmp_path: Path
) -> None:
    ask(page, picture(tmp_path, "a red; one's.png", encoded(solid(RED))))
    page.run("document.querySelector('.multi .bar[aria-label^=green]').click()")
    page.until("document.querySelector('.calls')?.textContent.includes('explain_label=green')")
    page.click(".card summary")
    curl, python = page.run(
        "[...document.querySelectorAll('.calls pre')].map((one) => one.innerText)"
    )
    commands = (["bash", "-c", curl], [sys.executable, "-c", python])
    for command in commands:
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        [answer] = json.loads(done.stdout)["predictions"]
        assert answer["image"]["filename"] == "a red; one's.png"
        assert answer["single"]["label"] == "red"
        assert answer["single"]["set"]["coverage"] == 0.9
        assert answer["explanation"]["label"] == "green"


def test_samples_are_answered_and_removed(page: Tab) -> None:
    count = page.run("document.querySelectorAll('.sample').length")
    assert count == 6
    page.click(".sample")
    page.until(ANSWERED)
    assert "curl -sSO" in page.run("document.querySelector('.calls').textContent")
    page.click(".card header button")
    assert page.run("document.querySelectorAll('.card').length") == 0
    assert page.text("#status") == "harbour.jpg was removed."


def test_copy_button_copies_the_call(page: Tab, pages: Site, tmp_path: Path) -> None:
    page.call(
        "Browser.grantPermissions",
        permissions=["clipboardReadWrite", "clipboardSanitizedWrite"],
        origin=pages.url,
    )
    ask(page, picture(tmp_path, "red.png", encoded(solid(RED))))
    page.until("document.querySelector('.copyable')")
    page.click(".card summary")
    page.click(".copyable button")
    page.until("document.querySelector('.copyable button').innerText === 'Copied'")
    shown = page.run("document.querySelector('.copyable pre').innerText")
    assert page.run("navigator.clipboard.readText()") == shown
