"""The page as its users have it: one file, drawn on, read, trained and saved, without a message in the console."""

import dataclasses
import re

import numpy as np
import pytest
from browser import CHROMIUM, MISSING
from devtools import Browser

import jitnet
from jitnet.config import Settings
from jitnet.data.pictures.adapt import adapt
from jitnet.data.pictures.style import MNIST
from jitnet.data.record import DataRecord
from jitnet.data.synthetic import draw
from jitnet.model.architecture import parse
from jitnet.model.network import Network
from jitnet.model.reference import backward, forward
from jitnet.play import Snapshot, Subject, pack, page
from jitnet.play.page import LARGEST
from jitnet.storage.checkpoint import load
from jitnet.storage.metadata import Description, metadata

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=MISSING)

READY = "document.body !== null && document.body.dataset.ready !== undefined"
SEVEN = [(0.25, 0.2), (0.4, 0.19), (0.55, 0.2), (0.72, 0.2), (0.66, 0.35), (0.58, 0.5), (0.5, 0.65), (0.44, 0.82)]
TEXT = "conv6 pool conv8:leaky-relu pool dense24:gelu dense10"


@pytest.fixture(scope="module")
def subject():
    """A network that knows the built-in digits a little."""
    network = Network(parse(TEXT), (28, 28, 1))
    network.initialise("he", 0)
    images, labels = draw(0, 0, 900)
    images = images[..., None]
    early = {name: array.copy() for name, array in network.tensors().items()}
    network.train_steps(images, labels, np.tile(np.arange(900), 3), 10, np.full(270, 0.1), np.zeros(1))
    settings = Settings(architecture="conv6 pool conv8:leaky-relu pool dense24:gelu", data="synthetic")
    description = Description(
        settings=settings, image=(28, 28, 1), labels=np.arange(10), title="tiny", data="synthetic"
    )
    return Subject(
        title="a <tiny> & small run",
        facts=[("network", TEXT)],
        network=network,
        metadata=metadata(description),
        style=dataclasses.asdict(MNIST),
        class_names=tuple("0123456789"),
        data="built-in synthetic digits",
        train=images[:300],
        train_targets=labels[:300],
        test=images[800:],
        test_targets=labels[800:],
        snapshots=(Snapshot("after 0 epochs", 0, early), Snapshot("after 4 epochs", 4, early)),
        label="after 3 epochs",
        epoch=3,
    )


@pytest.fixture(scope="module")
def written(subject, tmp_path_factory):
    out = tmp_path_factory.mktemp("page") / "page.html"
    out.write_text(page(subject, "Made by a test."), encoding="utf-8")
    return out


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture
def opened(written, browser):
    """The page as it opens; at the end it has written nothing to the console and requested nothing."""
    browser.open(written, READY)
    yield browser
    assert browser.messages == []


def example(subject: Subject) -> np.ndarray:
    """Return the page's first example as its network sees it, (28, 28, 1) uint8."""
    record = DataRecord(kind="IDX", style=MNIST)
    return adapt(subject.test[0, ..., 0], record, 28, 28, "the example", drawn=True).image[..., None]


def choose(browser: Browser, selector: str, value: str) -> None:
    """Set a control, as if by hand."""
    browser.run(
        f"(() => {{ const control = document.querySelector({selector!r}); control.value = {value!r};"
        "for (const name of ['input', 'change']) control.dispatchEvent(new Event(name)); })()"
    )


def text(browser: Browser, selector: str) -> str:
    return browser.run(f"document.querySelector({selector!r}).textContent")


def test_one_file_without_a_request(written):
    content = written.read_text(encoding="utf-8")
    assert re.search(r"Content-Security-Policy\" content=\"default-src 'none'; ", content)
    assert "a &lt;tiny&gt; &amp; small run" in content and "<tiny>" not in content
    for word in ("http://", "https://", "@import", "url(", "<link", " src=", "fetch(", "XMLHttp", "eval("):
        assert word not in content, word


def test_an_empty_canvas_has_no_answer_and_a_drawing_has_one(opened):
    assert "no answer" in text(opened, "#verdict")
    opened.stroke("#pad", SEVEN)
    opened.wait("document.querySelector('#verdict strong') !== null")
    bars = opened.run("[...document.querySelectorAll('#bars span:last-child')].map(each => each.textContent)")
    shares = [float(each.removesuffix(" %")) for each in bars]
    assert len(shares) == 10 and abs(sum(shares) - 100) < 0.6
    opened.wait("document.querySelectorAll('#alike li').length === 10")
    assert opened.run("document.querySelectorAll('#steps li').length") == 4
    opened.click("#as-drawn")
    opened.wait("document.querySelectorAll('#steps li').length === 2")
    left = "document.querySelectorAll('#verdict strong, #alike li, #steps li').length"
    assert opened.run(f"(() => {{ document.querySelector('#clear').click(); return {left}; }})()") == 0


@pytest.mark.parametrize("width", [1200, 390])
def test_nothing_below_moves_when_the_neighbours_come(written, tmp_path, width):
    with Browser(tmp_path, width) as browser:
        browser.open(written, READY)
        place = "document.querySelector('[value=backward]').getBoundingClientRect().top + scrollY"
        before = browser.run(f"(() => {{ document.querySelector('#example').click(); return {place}; }})()")
        browser.wait("document.querySelectorAll('#alike li').length === 10")
        assert browser.run(place) == before


def test_the_keyboard_draws(opened):
    opened.run("document.querySelector('#pad').focus()")
    opened.key(" ", " ")
    for _ in range(12):
        opened.key("ArrowDown")
    opened.key(" ", " ")
    opened.wait("document.querySelector('#verdict strong') !== null")
    opened.key("Delete")
    opened.wait("document.querySelector('#verdict strong') === null")


def test_the_numbers_are_pythons(subject, opened):
    """The tables of both directions, digit by digit, as float64 computes them from the same parameters."""
    opened.click("#example")
    opened.wait("document.querySelector('#verdict strong') !== null")
    opened.run("document.querySelector('#ranges').open = true")
    tensors = pack.restored(subject.network.tensors(), int(opened.run("App.data.bits")))
    steps = forward(subject.network.shapes, tensors, example(subject))
    backward(steps, tensors, int(subject.test_targets[0]), "cross-entropy")
    opened.wait("document.querySelectorAll('#layer-table tr').length > 1")
    rows = table(opened)
    for step in steps:
        assert rows[f"{step.shape.name} out"] == figures(step.out)
    opened.click("[value=backward]")
    opened.wait("document.querySelector('#layer-table').textContent.includes('grad')")
    rows = table(opened)
    for step in steps:
        assert rows[f"{step.shape.name} grad"] == figures(step.grad_out)
        for name, gradient in step.gradients.items():
            assert rows[name] == figures(gradient)


def table(browser: Browser) -> dict[str, list[str]]:
    cells = "row => [...row.cells].map(cell => cell.textContent)"
    found = browser.run(f"[...document.querySelectorAll('#layer-table tbody tr')].map({cells})")
    return {row[0]: row[2:5] for row in found}


def figures(values: np.ndarray) -> list[str]:
    """Return the smallest, the largest and the mean, as the page writes them; a mean that only rounding makes is 0."""
    mean = values.mean() if abs(values.mean()) > 1e-7 * np.abs(values).max() else 0
    texts = [f"{value:.3g}" for value in (values.min(), values.max(), mean)]
    return [text.replace("-", "−", 1) if text.startswith("-") else text for text in texts]


def test_a_pixel_of_a_map_is_explained(subject, opened):
    opened.click("#example")
    opened.wait("document.querySelector('#verdict strong') !== null")
    opened.click("section.layer[aria-label=conv2] .map:nth-child(3)")
    opened.wait("!document.querySelector('#inspector').hidden")
    opened.run("document.querySelector('#inspector .large').focus()")
    opened.key("ArrowRight")
    row, column, value = re.fullmatch(r"row (\d+), column (\d+): (.*)", text(opened, "#inspector .note")).groups()
    tensors = pack.restored(subject.network.tensors(), int(opened.run("App.data.bits")))
    step = forward(subject.network.shapes, tensors, example(subject))[2]
    z, out = step.z[int(row), int(column), 2], step.out[int(row), int(column), 2]
    assert value == f"{out:.3g}".replace("-", "−")
    assert f"leaky-relu({f'{z:.3g}'.replace('-', '−')})" in text(opened, "#inspector .formula")
    assert f"{tensors['conv2.bias'][int(row), int(column), 2]:.4f}".replace("-", "−") in text(
        opened, "#inspector .formula"
    )
    assert opened.run("document.querySelectorAll('#inspector table.grid').length") == 18
    assert opened.run("document.querySelectorAll('.layer.source').length") == 1
    for layer, selector in (
        ("pool1", ".winner"),
        ("dense1", ".parts"),
        ("dense2", ".parts"),
        ("conv1", ".grid"),
        ("image", "p"),
    ):
        opened.click(f"section.layer[aria-label={layer}] .map")
        opened.wait(f"document.querySelector('#inspector .formula {selector}') !== null")
    opened.click("[value=backward]")
    for layer in ("conv1", "pool1", "conv2", "dense1", "dense2"):
        opened.click(f"section.layer[aria-label={layer}] .map")
        opened.wait(f"document.querySelector('#inspector h3').textContent.startsWith('{layer}')")
        assert "NaN" not in text(opened, "#inspector")


def test_the_arrow_keys_go_from_map_to_map(opened):
    stops = "document.querySelectorAll('section.layer[aria-label=conv2] .map[tabindex=\"0\"]').length"
    assert opened.run(stops) == 1
    opened.run("document.querySelector('section.layer[aria-label=conv2] .map').focus()")
    opened.key("ArrowRight")
    opened.key("ArrowDown")
    assert opened.run("document.activeElement.ariaLabel") == "conv2, map 5" and opened.run(stops) == 1


def test_training_saving_and_loading(subject, opened):
    choose(opened, "#origin", "fresh")
    choose(opened, "#batch", "3")
    choose(opened, "#lr", "-1")
    opened.click("#go")
    opened.wait("Lesson.state.step >= 100")
    opened.click("#go")
    opened.wait("!Lesson.state.running")
    losses = opened.run("Lesson.state.points.map(point => point.loss)")
    assert np.mean(losses[-20:]) < 0.8 * np.mean(losses[:20])
    opened.click("#save")
    opened.wait("document.querySelector('#file-note').textContent.startsWith('Saved')")
    (name,) = re.findall(r"Saved (\S+\.safetensors):", text(opened, "#file-note"))
    file = opened.folder / name
    for _ in range(200):
        if file.exists() and file.stat().st_size:
            break
        opened.wait("new Promise(done => setTimeout(() => done(true), 50))")
    tensors, _ = load(file)
    kept = opened.run("Array.from(App.trainer.parameters)")
    np.testing.assert_array_equal(
        np.concatenate([tensors[name].ravel() for name in subject.network.tensors()]), np.float32(kept)
    )
    estimator = jitnet.load(file)
    opened.click("#example")
    opened.wait("document.querySelector('#verdict strong') !== null")
    assert text(opened, "#verdict strong") == str(estimator.predict(example(subject)[None, ..., 0])[0])

    opened.click("#reset")
    assert opened.run("Array.from(App.trainer.parameters)") != kept
    root = opened.call("DOM.getDocument")["root"]["nodeId"]
    node = opened.call("DOM.querySelector", nodeId=root, selector="#load")["nodeId"]
    opened.call("DOM.setFileInputFiles", files=[str(file)], nodeId=node)
    opened.wait("document.querySelector('#file-note').textContent.startsWith('Loaded')")
    assert opened.run("Array.from(App.trainer.parameters)") == kept
    damaged = file.with_name("damaged.safetensors")
    damaged.write_bytes(file.read_bytes()[:-1] + b"\x01")
    opened.call("DOM.setFileInputFiles", files=[str(damaged)], nodeId=node)
    opened.wait("document.querySelector('#file-note').textContent.includes('sha256')")


def test_a_lesson_is_learned_and_taken_back(opened):
    before = opened.run("Array.from(App.trainer.parameters)")
    opened.stroke("#pad", [(0.3, 0.3), (0.7, 0.7), (0.3, 0.7), (0.7, 0.3)])
    opened.wait("document.querySelector('#verdict strong') !== null")
    choose(opened, "#lr", "-1")
    opened.click("#teach-buttons button:nth-of-type(5)")
    opened.wait("!Lesson.state.running && document.querySelector('#lesson-note').textContent !== 'learning…'")
    assert text(opened, "#verdict strong") == "4" and "Learned in" in text(opened, "#lesson-note")
    assert opened.run("document.querySelectorAll('#own li').length") == 1
    opened.click("#undo-lesson")
    assert opened.run("Array.from(App.trainer.parameters)") == before
    assert opened.run("document.querySelectorAll('#own li').length") == 0


def test_a_slider_goes_through_the_checkpoints(subject, opened):
    assert (
        opened.run("document.querySelector('#epoch').value") == "1" and text(opened, "#epoch-now") == "after 3 epochs"
    )
    choose(opened, "#epoch", "0")
    first = float(subject.snapshots[0].tensors["conv1.weight"].flat[0])
    opened.wait(f"Math.abs(App.trainer.parameters[0] - {first}) < 1e-3")
    assert text(opened, "#epoch-now") == "after 0 epochs"
    choose(opened, "#epoch", "2")
    assert text(opened, "#epoch-now") == "after 4 epochs"
    choose(opened, "#epoch", "1")
    opened.wait("App.trainer.parameters.every((value, i) => value === App.kept[i])")
    assert text(opened, "#epoch-now") == "after 3 epochs"


def test_on_a_phone_a_finger_draws_and_nothing_is_wider_than_the_screen(written, tmp_path):
    with Browser(tmp_path, 390, 844, touch=True, dark=True) as browser:
        browser.open(written, READY)
        browser.box("#pad")
        before = browser.run("scrollY")
        browser.stroke("#pad", SEVEN, touch=True)
        browser.wait("document.querySelector('#verdict strong') !== null")
        assert browser.run("scrollY") == before
        browser.click("section.layer[aria-label=conv2] .map")
        browser.wait("!document.querySelector('#inspector').hidden")
        assert browser.run("document.documentElement.scrollWidth") == 390
        heights = browser.run(
            "[...document.querySelectorAll('button:not(.map, .small), select, .button')].map(each => each.offsetHeight)"
        )
        assert all(height == 0 or height >= 40 for height in heights) and browser.messages == []


def test_without_webassembly_the_page_computes_in_javascript(written, tmp_path):
    page = tmp_path / "plain.html"
    content = written.read_text(encoding="utf-8")
    page.write_text(content.replace("<style>", "<script>delete window.WebAssembly</script><style>", 1), "utf-8")
    with Browser(tmp_path) as browser:
        browser.open(page, READY)
        assert browser.run("document.body.dataset.ready") == "JavaScript"
        assert float(browser.run("document.body.dataset.difference")) < 1e-3 and browser.messages == []


def test_everything_that_can_be_used_has_a_name(opened):
    named = (
        "each => each.getAttribute('aria-label') || each.textContent.trim() || "
        "[...each.labels || []].some(label => label.textContent.trim())"
    )
    all_of_them = "[...document.querySelectorAll('button, input, select, canvas[tabindex], [role=img]')]"
    nameless = f"{all_of_them}.filter(each => !({named})(each)).map(each => each.outerHTML)"
    assert opened.run(nameless) == []


def test_the_documents_network_fits(tmp_path, subject):
    network = Network(parse("conv16 pool conv32 pool conv64 dense100 dense10"), (28, 28, 1))
    network.initialise("he", 0)  # every bit of these is random: no trained network takes more room
    images, labels = draw(0, 0, 2250)
    large = dataclasses.replace(
        subject, network=network, snapshots=(), train=images[:2000, ..., None], train_targets=labels[:2000],
        test=images[2000:, ..., None], test_targets=labels[2000:],
    )  # fmt: skip
    assert len(page(large, "").encode()) <= LARGEST


def test_a_picture_is_dropped_or_pasted_and_seen_as_predict_sees_it(opened):
    """Two dark strokes on light paper, as a PNG file: the same image as Python prepares from its grey levels."""
    opened.run("""(async () => {
      const canvas = document.createElement("canvas"), context = canvas.getContext("2d");
      [canvas.width, canvas.height] = [90, 120];
      context.fillStyle = "#eee"; context.fillRect(0, 0, 90, 120);
      context.fillStyle = "#222"; context.fillRect(20, 20, 50, 9); context.fillRect(52, 20, 10, 80);
      const blob = await new Promise(done => canvas.toBlob(done, "image/png"));
      window.files = new DataTransfer();
      files.items.add(new File([blob], "seven.png", { type: "image/png" }));
    })()""")
    grey = np.full((120, 90), 0xEE, np.uint8)
    grey[20:29, 20:70] = grey[20:100, 52:62] = 0x22
    expected = adapt(grey, DataRecord(kind="IDX", style=MNIST), 28, 28, "x", drawn=True).image
    for event in (
        "document.querySelector('#draw').dispatchEvent(new DragEvent('drop', {dataTransfer: files, bubbles: true}))",
        "document.dispatchEvent(new ClipboardEvent('paste', {clipboardData: files}))",
    ):
        opened.run(event)
        opened.wait("App.image !== null")
        found = np.array(opened.run("Array.from(App.image, value => Math.round(value * 255))")).reshape(28, 28)
        assert np.abs(found - expected.astype(float)).max() <= 1
        opened.click("#clear")
        opened.wait("App.image === null")
