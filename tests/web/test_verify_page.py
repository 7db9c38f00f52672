"""The page Verify: whatever somebody has in hand is told apart by what it is, and checked where they are, as far as that goes."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shutil
import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from certifier.audio.decode import facts_of
from certifier.audio.model import AudioLimits
from certifier.certificate.code import display_code
from certifier.certificate.compact import digits_of
from certifier.errors import MalformedAudio
from certifier.service.examine import MOST_IN_LINE, _place_in_line
from tests.web.browsing import opened
from tests.web.conftest import LATER, World

CHECKED = "Checked by your own browser"
OTHER_AUDIO = "0" * 64
FORCE = "Signed by the issuer, in the public log, in force."


@pytest.fixture(scope="module")
def page(browser: Browser, address: str) -> Iterator[Page]:
    """One page for all that give and look; each begins with nothing given."""
    page = opened(browser, address)
    page.goto("/verify")
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def files(world: World, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What somebody may have of a certificate."""
    folder, code = tmp_path_factory.mktemp("given"), world.code
    urls = {
        f"certificate.{form}": f"/v/{code}.{form}" for form in ("vc", "tlog-proof", "jwt", "cose", "openbadge.json")
    }
    urls |= {f"badge.{form}": f"/v/{code}.{form}" for form in ("svg", "png", "baked.svg", "qr.png")}
    urls |= {f"status-{purpose}.json": f"/status/{purpose}/1" for purpose in ("revocation", "suspension")}
    urls |= {
        "trust.json": "/trust.json",
        "kept.html": f"/v/{code}.offline.html",
        "report.json": f"/v/{code}.report.json",
    }
    urls |= {"pack.json": "/packs/latest"}
    urls |= {f"other.{form}": f"/v/{world.attested.certificate.code}.{form}" for form in ("vc", "tlog-proof")}
    for name, url in urls.items():
        (folder / name).write_bytes(world.client.get(url, buffered=True).data)
    samples, rate = soundfile.read(world.studio.folder / "track-1.wav", dtype="int16")
    soundfile.write(folder / "copy.flac", samples, rate)
    soundfile.write(folder / "copy.aiff", samples, rate)
    soundfile.write(folder / "copy.ogg", samples, rate)
    (folder / "tagged.wav").write_bytes(tagged((world.studio.folder / "track-1.wav").read_bytes()))
    (folder / "other.wav").write_bytes(wav(channels=1, bits=16, frames=9_000))
    photo(folder / "badge.png", folder / "photo.jpg")
    (folder / "changed.vc").write_text((folder / "certificate.vc").read_text().replace("Night Ferry", "Night Fairy"))
    (folder / "letter.pdf").write_bytes(b"%PDF-1.7\n")
    (folder / "notes.txt").write_text("A shopping list.\n")
    (folder / "half.json").write_text('{"proof": ')
    (folder / "other.json").write_text('{"name": "something else"}')
    (folder / "song.m4a").write_bytes(b"\0\0\0\x20ftypM4A \0\0\0\0")
    (folder / "empty.vc").write_bytes(b"")
    (folder / "large.txt").write_bytes(b"a" * 1_100_000)
    Image.new("RGB", (300, 300), "white").save(folder / "blank.png")
    (folder / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    return {file.name: file for file in folder.iterdir()} | {"track.wav": world.studio.folder / "track-1.wav"}


def photo(badge: Path, path: Path) -> None:
    """The badge on a table: large picture, small symbol, a little turned, uneven light."""
    image = Image.open(badge).convert("RGB").resize((700, 700)).rotate(7, expand=True, fillcolor=(196, 190, 180))
    table = Image.new("RGB", (2000, 1500), (196, 190, 180))
    table.paste(image, (640, 320))
    shade = np.linspace(0.55, 1.0, 2000)[None, :, None]
    Image.fromarray((np.asarray(table) * shade).astype(np.uint8)).save(path, quality=80)


def tagged(raw: bytes) -> bytes:
    """The same sound in another file: a comment before the samples."""
    comment = b"LIST" + struct.pack("<I", 17) + b"INFOICMT" + struct.pack("<I", 4) + b"tag\0x" + b"\0"
    body = raw[12:]
    return b"RIFF" + struct.pack("<I", len(comment) + len(body) + 4) + b"WAVE" + comment + body


def give(page: Page, *given: Path) -> None:
    page.set_input_files("#files", list(given))


def paste(page: Page, text: str) -> None:
    page.fill("#given", text)
    page.press("#given", "Enter")


def answer(page: Page, *words: str, number: int = 0) -> None:
    for word in words:
        expect(page.locator("#results .answer").nth(number)).to_contain_text(word)


# -- a code or a text -------------------------------------------------------------------------------------------------

TEXTS = {
    "a code": ("{code}", [CHECKED, "Valid", "Night Ferry (example)"]),
    "a code as people type it": (" {typed} ", [CHECKED, "Valid"]),
    "the address of a page": ("https://label.example/v/{code}", [CHECKED, "Valid"]),
    "the address of a file on this very host": ("{host}/v/{code}.vc", [CHECKED, "Valid"]),
    "what the QR of a badge holds": ("HTTPS://LABEL.EXAMPLE/V/{code}", [CHECKED, "Valid"]),
    "what the QR of a print holds": (
        "HTTPS://LABEL.EXAMPLE/V/{code}#{digits}",
        [CHECKED, "Valid", "Public log: holds"],
    ),
    "a print that leads elsewhere": ("HTTPS://OTHER.EXAMPLE/V/{code}#{digits}", ["leads to another certificate"]),
    "a token": ("{jwt}", [CHECKED, "Valid", "Night Ferry (example)"]),
    "a certificate as text": ("{vc}", [CHECKED, "Valid", "Night Ferry (example)"]),
    "a withdrawn code": ("{withdrawn}", ["Not valid", "withdrawn", "When it was issued it said: Glass Rain (example)"]),
    "the digest of a file": ("{sha256}", [CHECKED, "Valid", "Audio file: this very file"]),
    "the digest of another file": (OTHER_AUDIO, ["No certificate here is for this recording", OTHER_AUDIO]),
    "a mistyped code": ("ABCD-EFGH-JK", ["typing error", "symbol by symbol"]),
    "a code that was never issued": ("0000-0000-00", ["No certificate here has this code", "0000-0000-00"]),
    "an address of another site": ("https://other.example/v/{code}", ["leads to another site", "other.example"]),
    "something else": ("what is this label", ["nothing that is checked here", "Taken here: a code or address"]),
}


@pytest.mark.parametrize(("text", "words"), TEXTS.values(), ids=TEXTS.keys())
def test_a_text_is_told_apart_and_answered(page: Page, address: str, world: World, text: str, words: list[str]) -> None:
    row = world.certifier.certificate(world.code)
    filled = {
        "code": world.code,
        "typed": display_code(world.code).lower().replace("1", "l").replace("0", "o"),
        "host": address,
        "digits": digits_of(world.certifier.rendition(row, "compact")),
        "jwt": world.certifier.rendition(row, "jwt").decode(),
        "vc": json.dumps(json.loads(row.document or b"")),
        "withdrawn": world.withdrawn.certificate.code,
        "sha256": row.audio_sha256.upper(),
    }
    paste(page, text.format(**filled))
    answer(page, *words)
    expect(page.locator("#results .answer").first).to_be_focused()
    expect(page.locator("#status")).to_be_empty()


def test_a_service_that_does_not_answer_is_told_and_nothing_is_called_valid(page: Page, world: World) -> None:
    page.route("**/*.check.json", lambda route: route.fulfill(status=429))
    paste(page, world.code)
    answer(page, "The service does not answer", "cannot be told just now")
    page.unroute("**/*.check.json")
    assert "Valid" not in page.inner_text("#results")


# -- files ------------------------------------------------------------------------------------------------------------

ALONE = {
    "the certificate": ("certificate.vc", [f"{CHECKED}, with the keys of this site", "Valid", "came from this site"]),
    "the token": ("certificate.jwt", [CHECKED, "Valid"]),
    "the compact form": ("certificate.cose", [CHECKED, "Valid"]),
    "a changed certificate": ("changed.vc", ["Not valid", "Signature: does not fit"]),
    "an Open Badge": ("certificate.openbadge.json", ["only the service can check it", "Send it to the service"]),
    "a badge with an Open Badge inside": ("badge.baked.svg", ["only the service can check it", "proves nothing"]),
    "the badge as PNG": ("badge.png", ["badge.png: its QR", "Valid", "Night Ferry"]),
    "the badge as SVG": ("badge.svg", ["badge.svg: its QR", "Valid", "Night Ferry"]),
    "the QR for print": ("badge.qr.png", ["badge.qr.png: its QR", "Valid", "Night Ferry"]),
    "a photograph of a badge": ("photo.jpg", ["photo.jpg: its QR", "Valid", "Night Ferry"]),
    "a picture without a QR": ("blank.png", ["No QR was found"]),
    "a picture that is broken": ("torn.png", ["cannot be opened"]),
    "the recording": ("track.wav", ["Valid", "Audio file: this very file"]),
    "the recording with other tags": ("tagged.wav", ["Valid", "Audio file: the same sound in another file"]),
    "another recording": (
        "other.wav",
        ["No certificate here is for this recording", "Neither its bytes nor its samples"],
    ),
    "a proof alone": ("certificate.tlog-proof", ["goes with a certificate"]),
    "a status list alone": ("status-revocation.json", ["goes with a certificate"]),
    "a PDF": ("letter.pdf", ["PDF document", "Taken here"]),
    "a text": ("notes.txt", ["a text that is no code", "Taken here"]),
    "half a document": ("half.json", ["breaks off"]),
    "another document": ("other.json", ["is JSON, and no certificate"]),
    "a report": ("report.json", ["signed emission report"]),
    "a pack": ("pack.json", ["verification pack"]),
    "a saved page": ("kept.html", ["checks itself"]),
    "audio in a format that is not read": ("song.m4a", ["MP4 or M4A"]),
    "an empty file": ("empty.vc", ["It is empty"]),
    "a large text": ("large.txt", ["larger than any certificate"]),
}


@pytest.mark.parametrize(("name", "words"), ALONE.values(), ids=ALONE.keys())
def test_a_file_is_told_apart_by_what_is_in_it(page: Page, files: dict[str, Path], name: str, words: list[str]) -> None:
    give(page, files[name])
    answer(page, *words)
    assert "Fairy" not in page.inner_text("#results")


def test_files_that_belong_together_are_checked_together_and_nobody_is_asked(
    page: Page, files: dict[str, Path]
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    names = (
        "certificate.vc",
        "certificate.tlog-proof",
        "status-revocation.json",
        "status-suspension.json",
        "trust.json",
    )
    give(page, *(files[name] for name in (*names, "track.wav")))
    answer(page, "Valid", "Audio file: this very file", "with the trust file that you gave")
    assert page.locator("#results .answer").count() == 1
    assert asked == []


def test_each_of_many_files_has_an_answer_of_its_own(page: Page, files: dict[str, Path]) -> None:
    give(page, *(files[name] for name in ("certificate.vc", "changed.vc", "badge.png", "notes.txt")))
    for number, words in enumerate(
        (("certificate.vc", "Valid"), ("changed.vc", "Not valid"), ("Valid",), ("nothing",))
    ):
        answer(page, *words, number=number)


def test_proofs_and_recordings_find_their_certificate(page: Page, files: dict[str, Path]) -> None:
    give(page, *(files[name] for name in ("certificate.vc", "other.tlog-proof", "certificate.tlog-proof")))
    answer(page, "Valid", "Public log: holds this certificate")
    give(page, files["certificate.vc"], files["other.wav"])
    answer(page, "Not valid", "Audio file: another file")
    give(page, files["certificate.vc"], files["other.wav"], files["track.wav"])
    answer(page, "Valid", "Audio file: this very file")
    give(page, files["certificate.vc"], files["tagged.wav"])
    answer(page, "Valid", "the same sound in another file")


def test_a_certificate_is_not_blamed_for_a_proof_that_belongs_to_another(page: Page, files: dict[str, Path]) -> None:
    give(page, *(files[name] for name in ("certificate.vc", "other.vc", "certificate.tlog-proof")))
    for number in (0, 1):
        answer(page, "Valid", "Public log: holds this certificate", number=number)
    give(page, files["certificate.vc"], files["other.tlog-proof"])
    answer(page, "Not valid", "Public log: does not fit")


@pytest.mark.parametrize("name", ["certificate.openbadge.json", "badge.baked.svg"])
def test_what_only_the_service_checks_is_sent_when_somebody_says_so(
    page: Page, files: dict[str, Path], name: str
) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    give(page, files[name])
    answer(page, "Send it to the service")
    assert "POST" not in sent
    page.click("text=Send it to the service")
    answer(page, name, "Valid", "Checked by this service.")
    expect(page.locator("#results .answer")).to_be_focused()


def test_a_file_dropped_anywhere_is_taken(page: Page, files: dict[str, Path]) -> None:
    page.evaluate(
        """text => {
          const data = new DataTransfer();
          data.items.add(new File([text], "dropped.vc"));
          document.querySelector("h1").dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true }));
        }""",
        files["certificate.vc"].read_text(),
    )
    answer(page, "dropped.vc", "Valid")


# -- audio ------------------------------------------------------------------------------------------------------------


def wav(
    *, channels: int = 2, bits: int = 16, frames: int = 501, rate: int = 22_050, extensible: bool = False, before: bytes = b"",
    after: bytes = b"", cut: int = 0, tag: int | None = None, valid_bits: int | None = None
) -> bytes:  # fmt: skip
    """A WAV file of noise, put together by hand."""
    frame = channels * bits // 8
    sound = np.random.default_rng(bits * channels + frames).bytes(frames * frame)
    plain = struct.pack("<HHIIHH", tag or (0xFFFE if extensible else 1), channels, rate, rate * frame, frame, bits)
    guid = struct.pack("<H", 1) + bytes.fromhex("000000001000800000aa00389b71")
    layout = plain + (struct.pack("<HHI", 22, valid_bits or bits, 0) + guid if extensible else b"")
    chunks = (
        b"fmt " + struct.pack("<I", len(layout)) + layout + before + b"data" + struct.pack("<I", len(sound)) + sound
    )
    chunks += b"\0" * (len(sound) % 2) + after
    whole = b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks
    return whole[: len(whole) - cut]


ODD = b"LIST" + struct.pack("<I", 5) + b"INFO!" + b"\0"
WAVES = {
    f"{bits} bit, {channels} channels{', extensible' if extensible else ''}": wav(
        bits=bits, channels=channels, extensible=extensible, frames=frames
    )
    for bits in (8, 16, 24, 32)
    for channels, frames in ((1, 1), (1, 501), (2, 777), (6, 300))
    for extensible in (False, True)
}
WAVES |= {
    "an odd chunk before the sound": wav(before=ODD),
    "an odd chunk behind the sound": wav(after=ODD, bits=8, channels=1, frames=333),
    "more than one block": wav(bits=24, frames=800_000),
    "the lowest rate": wav(rate=8_000),
    "the highest rate": wav(rate=384_000),
}
REFUSED = {
    "cut in its samples": wav(cut=7),
    "cut in its header": wav()[:30],
    "no samples": wav(frames=0),
    "a rate below any music": wav(rate=4_000),
    "nine channels": wav(channels=9),
    "no WAV": b"fLaC" + bytes(60),
}
LEFT_TO_THE_SERVICE = {
    "half a frame": wav(frames=10, channels=3, bits=8).replace(struct.pack("<I", 30), struct.pack("<I", 29)),
    "floating point": wav(bits=32, tag=3),
    "twenty bits in a larger box": wav(bits=24, extensible=True, valid_bits=20),
    "bytes behind its end": wav() + b"TAG",
}
ESSENCE = """async (files) => {
  const { essenceOf } = await import("/static/0/essence.js");
  const answers = {};
  for (const [name, text] of Object.entries(files)) {
    const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
    answers[name] = await essenceOf(new Blob([bytes])).catch((error) => error.constructor.name);
  }
  return answers;
}"""


def heard(page: Page, waves: dict[str, bytes]) -> dict[str, str]:
    told: dict[str, str] = page.evaluate(ESSENCE, {name: base64.b64encode(raw).decode() for name, raw in waves.items()})
    return told


def decoded(path: Path, raw: bytes) -> str | None:
    path.write_bytes(raw)
    with path.open("rb", buffering=0) as file:
        return facts_of(file, AudioLimits()).essence_sha256


def test_the_browser_reads_the_samples_as_the_service_does(page: Page, tmp_path: Path) -> None:
    assert heard(page, WAVES) == {name: decoded(tmp_path / "sound.wav", raw) for name, raw in WAVES.items()}


def test_the_browser_refuses_what_the_service_refuses(page: Page, tmp_path: Path) -> None:
    assert set(heard(page, REFUSED).values()) == {"Refused"}
    for raw in REFUSED.values():
        with pytest.raises(MalformedAudio):
            decoded(tmp_path / "sound.wav", raw)


def test_the_browser_leaves_odd_files_to_the_service(page: Page) -> None:
    assert set(heard(page, LEFT_TO_THE_SERVICE).values()) == {"Refused"}


def test_the_browser_hashes_a_file_as_everybody_does(page: Page) -> None:
    """FIPS 180-4, around every edge of a block and of a chunk."""
    sizes = (0, 1, 55, 56, 63, 64, 65, 119, 120, 1_000_000, 9_000_001)
    told = page.evaluate(
        """async (sizes) => {
          const { hashOf } = await import("/static/0/essence.js");
          const content = (size) => Uint8Array.from({ length: size }, (_, at) => ((at % 1000) * 7) % 251);
          return Promise.all(sizes.map((size) => hashOf(new Blob([content(size)]))));
        }""",
        sizes,
    )
    pattern = bytes(number * 7 % 251 for number in range(1000))
    assert told == [hashlib.sha256((pattern * (size // 1000 + 1))[:size]).hexdigest() for size in sizes]


def test_a_recording_is_looked_up_without_leaving_the_machine(page: Page, files: dict[str, Path]) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    give(page, files["tagged.wav"])
    answer(page, "the same sound in another file")
    assert set(sent) == {"GET"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("copy.flac", ["Valid", "Audio file: the same sound in another file", "Checked by this service"]),
        ("copy.aiff", ["Valid", "Audio file: the same sound in another file", "Checked by this service"]),
        ("copy.ogg", ["No certificate here is for this recording", "has no samples to compare"]),
    ],
)
def test_a_recording_that_only_the_service_reads_is_sent_when_somebody_says_so(
    page: Page, files: dict[str, Path], name: str, words: list[str]
) -> None:
    give(page, files[name])
    answer(page, "No certificate here is for exactly this file", "read there, and not kept", "MB")
    page.click("text=Let the service read it")
    answer(page, *words)


# -- the camera -------------------------------------------------------------------------------------------------------


def throwing(name: str) -> str:
    return f"navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('', '{name}') }}"


NO_CAMERA = {
    "refused": (throwing("NotAllowedError"), "was refused"),
    "none": (throwing("NotFoundError"), "No camera was found"),
    "in use": (throwing("NotReadableError"), "in use by"),
    "an insecure address": (
        "Object.defineProperty(globalThis, 'isSecureContext', { value: false })",
        "secure addresses",
    ),
    "a browser without one": (
        "Object.defineProperty(navigator, 'mediaDevices', { value: undefined })",
        "No camera was found",
    ),
}


@pytest.mark.parametrize(("script", "words"), NO_CAMERA.values(), ids=NO_CAMERA.keys())
def test_without_a_camera_the_page_says_why_and_what_else_helps(
    browser: Browser, address: str, script: str, words: str
) -> None:
    page = opened(browser, address)
    page.add_init_script(script)
    page.goto("/verify")
    page.click("#camera-start")
    expect(page.locator("#camera-said")).to_contain_text(words)
    expect(page.locator("#camera-start")).to_be_visible()
    assert page.locator("#camera").is_hidden()
    page.context.close()


def film(path: Path, badge: Path | None = None) -> Path:
    """Frames before a camera, in YUV4MPEG2: dark ones, and then a badge where there is one."""
    chroma = bytes([128]) * (320 * 240 * 2)
    frames = [bytes([40]) * (640 * 480)] * 10
    if badge:
        frame = Image.new("L", (640, 480), 90)
        frame.paste(Image.open(badge).convert("L").resize((440, 440)), (100, 20))
        frames += [frame.tobytes()] * 20
    path.write_bytes(
        b"YUV4MPEG2 W640 H480 F20:1 Ip A1:1 C420jpeg\n" + b"".join(b"FRAME\n" + each + chroma for each in frames)
    )
    return path


@contextmanager
def before_a_camera(browser: Browser, address: str, shown: Path) -> Iterator[Page]:
    camera = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    launched = browser.browser_type.launch(
        executable_path=shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome"),
        args=["--no-sandbox", "--disable-gpu", *camera, f"--use-file-for-fake-video-capture={shown}"],
    )
    page = opened(launched, address)
    page.goto("/verify")
    page.click("#camera-start")
    expect(page.locator("#camera-stop")).to_be_focused()
    yield page
    launched.close()


def test_the_camera_reads_a_label_and_goes_off(
    browser: Browser, address: str, files: dict[str, Path], tmp_path: Path
) -> None:
    with before_a_camera(browser, address, film(tmp_path / "label.y4m", files["badge.png"])) as page:
        answer(page, "Camera: its QR", "Valid", "Night Ferry (example)")
        expect(page.locator("#camera-said")).to_have_text("Found. The camera is off.")
        assert page.evaluate("document.getElementById('video').srcObject") is None


def test_the_camera_goes_off_when_it_is_told_to(browser: Browser, address: str, tmp_path: Path) -> None:
    with before_a_camera(browser, address, film(tmp_path / "dark.y4m")) as page:
        page.click("#camera-stop")
        expect(page.locator("#camera-start")).to_be_focused()
        expect(page.locator("#video")).to_have_js_property("srcObject", None)


def test_the_reader_of_the_browser_is_used_where_there_is_one(
    browser: Browser, address: str, world: World, files: dict[str, Path]
) -> None:
    page = opened(browser, address)
    page.add_init_script(
        f"""globalThis.BarcodeDetector = class {{
          static async getSupportedFormats() {{ return ["qr_code"]; }}
          async detect() {{ return [{{ rawValue: "HTTPS://LABEL.EXAMPLE/V/{world.code}" }}]; }}
        }};"""
    )
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/verify")
    give(page, files["blank.png"])
    answer(page, "blank.png: its QR", "Valid")
    assert not [url for url in asked if "jsqr" in url]
    page.context.close()


def test_a_reader_that_does_not_come_is_told(browser: Browser, address: str, files: dict[str, Path]) -> None:
    page = browser.new_context(base_url=address).new_page()
    page.route("**/jsQR.js", lambda route: route.abort())
    page.goto("/verify")
    give(page, files["badge.png"])
    answer(page, "The QR reader did not load")
    page.unroute("**/jsQR.js")
    page.clock.set_fixed_time(LATER)
    give(page, files["badge.png"])
    answer(page, "Night Ferry (example)")
    page.context.close()


def test_this_page_alone_may_ask_for_the_camera(world: World) -> None:
    policies = {path: world.client.get(path).headers["Permissions-Policy"] for path in ("/", "/verify", "/submit")}
    assert {path for path, policy in policies.items() if "camera=(self)" in policy} == {"/verify"}
    assert all("microphone=(), geolocation=()" in policy for policy in policies.values())


# -- without script ---------------------------------------------------------------------------------------------------


def test_all_of_it_works_without_script_as_plain_forms(
    browser: Browser, address: str, world: World, files: dict[str, Path]
) -> None:
    page = opened(browser, address, java_script_enabled=False)
    page.goto("/verify")
    assert page.locator("#camera-start").is_hidden()
    page.fill("#given", f"https://label.example/v/{world.code}")
    page.press("#given", "Enter")
    assert FORCE in page.inner_text(".answer")
    for names, words in {
        ("certificate.vc", "other.tlog-proof"): "The proof does not show this certificate in the public log.",
        ("certificate.vc", "track.wav"): "this very file",
        ("other.wav",): "No certificate here is for this file",
    }.items():
        page.goto("/verify")
        give(page, *(files[name] for name in names))
        page.click("text=Send and verify")
        assert words in page.inner_text(".answers"), names
    page.context.close()


SENT = {
    "a certificate": (("certificate.vc",), FORCE),
    "a badge with its certificate": (("badge.baked.svg",), FORCE),
    "the recording in another form": (("copy.flac",), "the same sound in another file"),
    "a certificate and another recording": (("certificate.vc", "other.wav"), "another file"),
    "a certificate and something else": (("certificate.vc", "other.json"), "This cannot be checked"),
}


@pytest.mark.parametrize(("names", "words"), SENT.values(), ids=SENT.keys())
def test_files_that_are_sent_as_a_form_are_answered_on_a_page(
    world: World, files: dict[str, Path], names: tuple[str, ...], words: str
) -> None:
    page = sent(world, *((name, files[name].read_bytes()) for name in names), Accept="text/html").text
    assert words in unescape(page)


QUERIES = {
    "a code": ("code={shown}", FORCE),
    "the address of its page": ("code=https://label.example/v/{code}", FORCE),
    "the text of a print": ("code=HTTPS://LABEL.EXAMPLE/V/{code}%23{digits}", FORCE),
    "a token": ("code={jwt}", FORCE),
    "a digest": ("sha256={sha256}", "this very file"),
    "a digest in the field for texts": ("code={sha256}", "this very file"),
    "a digest that is not known": (f"sha256={OTHER_AUDIO}", "No certificate here is for this file"),
}


@pytest.mark.parametrize(("query", "words"), QUERIES.values(), ids=QUERIES.keys())
def test_an_address_of_the_page_holds_a_question(world: World, query: str, words: str) -> None:
    row = world.certifier.certificate(world.code)
    jwt = world.certifier.rendition(row, "jwt").decode()
    digits, sha256 = digits_of(world.certifier.rendition(row, "compact")), row.audio_sha256.upper()
    filled = query.format(code=world.code, shown=display_code(world.code), jwt=jwt, digits=digits, sha256=sha256)
    answer = world.client.get(f"/verify?{filled}")
    assert words in answer.text
    assert "no-store" in answer.headers["Cache-Control"]


def sent(world: World, *names: tuple[str, bytes], **headers: str) -> Any:
    data = {"file": [(io.BytesIO(content), name) for name, content in names]}
    return world.client.post("/verify", data=data, content_type="multipart/form-data", headers=headers)


def test_what_was_heard_comes_as_json_for_the_script(world: World, files: dict[str, Path]) -> None:
    raw = files["copy.flac"].read_bytes()
    told = sent(world, ("copy.flac", raw), Accept="application/json").json
    assert told["audio"]["sha256"] == hashlib.sha256(raw).hexdigest()
    assert told["audio"]["format"] == "FLAC"
    assert [result["axes"]["binding"] for result in told["results"]] == ["essence_match"]


BAD = {
    "no file": ((), 400, "parameter-invalid"),
    "a proof alone": ((("a.tlog-proof", b"c2sp.org/tlog-proof@v1\n"),), 400, "parameter-invalid"),
    "two recordings": ((("a.wav", b"RIFF"), ("b.wav", b"RIFF")), 400, "parameter-invalid"),
    "21 files": ((("a.vc", b"{}"),) * 21, 400, "parameter-invalid"),
    "what is no audio": ((("a.wav", b"%PDF-1.7"),), 422, "audio-unreadable"),
    "what is no certificate": ((("a.vc", b"{}"),), 422, "certificate-malformed"),
}


@pytest.mark.parametrize(("names", "status", "slug"), BAD.values(), ids=BAD.keys())
def test_files_that_cannot_be_judged_are_a_problem(
    world: World, names: tuple[tuple[str, bytes], ...], status: int, slug: str
) -> None:
    answer = sent(world, *names)
    assert (answer.status_code, answer.json["type"].rpartition("/")[2]) == (status, slug)


def test_a_recording_waits_in_the_line_of_all_uploads_and_a_certificate_does_not(
    world: World, files: dict[str, Path]
) -> None:
    """Else a rush of recordings to be verified would take every processor, whatever the line is for."""
    copy = ("copy.flac", files["copy.flac"].read_bytes())
    with ExitStack() as line:
        for _ in range(MOST_IN_LINE):
            line.enter_context(_place_in_line())
        answer = sent(world, copy)
        assert (answer.status_code, answer.json["type"].rpartition("/")[2]) == (503, "busy")
        assert int(answer.headers["Retry-After"]) > 0
        document = world.certifier.certificate(world.code).document
        assert sent(world, ("a.vc", document)).status_code == 200
    assert sent(world, copy).status_code == 200


def test_other_questions_are_a_problem(world: World) -> None:
    assert world.client.post("/verify", json={}).status_code == 415
    for query in (
        "sha256=abc",
        "code=ABCDEFGHJK",
        "code=https://other.example/v/" + world.code,
        "code=" + "7" * 20_001,
    ):
        assert world.client.get(f"/verify?{query}").status_code == 400, query
