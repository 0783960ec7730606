// From the drawing, a picture or an example to the image that the network sees; the steps are shown.
"use strict";

const Draw = (() => {
  let pad = null, pending = 0, example = -1;

  function start() {
    const [H, W, C] = App.data.spec.image;
    if (App.numbers) return rows();
    if (C !== 1) {
      $("pad-box").querySelector("#pad").hidden = true;
      $("pad-hint").hidden = true;
      for (const id of ["undo-stroke", "clear", "pen"]) $(id).disabled = true;
      $("notes").textContent = `The network sees images of ${C} channels: choose an example.`;
    } else {
      pad = new Pad($("pad"), later);
      $("pen").addEventListener("input", () => { pad.width = Number($("pen").value); });
      $("clear").addEventListener("click", () => pad.clear());
      $("undo-stroke").addEventListener("click", () => pad.undo());
      $("as-drawn").addEventListener("change", () => read());
      pictures();
    }
    if (App.test.count) $("example").addEventListener("click", next);
    else $("example").hidden = true;
  }

  // While a stroke grows the answer follows, at most ten times a second.
  function later(final) {
    $("pad-hint").hidden = true;
    if (final) {
      clearTimeout(pending);
      pending = 0;
      read();
    } else if (!pending) {
      pending = setTimeout(() => { pending = 0; read(); }, 100);
    }
  }

  function read() {
    const [H, W] = App.data.spec.image;
    if (pad.marked) { pad.draw(); pad.marked = false; }
    if (pad.isEmpty) return refuse("");
    try {
      const grey = pad.grey();
      const found = $("as-drawn").checked ? Prepare.asDrawn(grey, H, W) : Prepare.prepare(grey, App.data.style, App.data.digits, H, W);
      steps(found.steps);
      $("notes").textContent = found.notes.length ? `Doubtful: ${found.notes.join("; ")}.` : "";
      App.show(Uint8Array.from(found.image.d));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refuse(error.message);
    }
  }

  function refuse(sentence) {
    $("steps").replaceChildren();
    $("notes").textContent = sentence;
    if (pad && pad.isEmpty) $("pad-hint").hidden = false;
    App.show(null);
  }

  function steps(list) {
    $("steps").replaceChildren(...list.map(([name, image], place) => {
      const last = place === list.length - 1;
      return el("li", { class: last ? "last" : "" },
        paintGrey(el("canvas", { role: "img", "aria-label": `${name}, ${image.w} by ${image.h} pixels` }), image.h, image.w, image.d),
        el("span", {}, name, el("small", {}, ` ${image.w} × ${image.h}`)));
    }));
  }

  // Examples are images that the network was not trained on.
  function next() {
    example = (example + 1) % App.test.count;
    const [H, W, C] = App.data.spec.image, pixels = App.pixels(App.test, example);
    $("example-note").textContent = `Example ${example + 1} of ${App.test.count}: ${App.nameOf(App.test.targets[example])}.`;
    App.truth = App.test.targets[example];
    App.emit("truth");
    if (pad) return pad.load({ h: H, w: W, d: Float32Array.from(pixels) });
    $("steps").replaceChildren(el("li", { class: "last" }, paintGrey(el("canvas"), H, W, pixels, C), el("span", {}, "the example")));
    App.show(pixels.slice());
  }

  // Grey levels as jitnet/data/readers/images.py has them: transparency over white, or over black if only that shows
  // ink, or the clearest of the channels if the colours have one luminance.
  function greyOf(bitmap, w, h) {
    const over = ["#fff", "#000", ""].map(paper => {
      const context = el("canvas", { width: w, height: h }).getContext("2d");
      if (paper) {
        context.fillStyle = paper;
        context.fillRect(0, 0, w, h);
      }
      context.drawImage(bitmap, 0, 0, w, h);
      return context.getImageData(0, 0, w, h).data;
    });
    const take = (data, level) => {
      const out = Grey.make(h, w);
      for (let i = 0; i < out.d.length; i++) out.d[i] = level(data, 4 * i);
      return out;
    };
    const range = picture => { const [low, high] = Grey.extent(picture); return high - low; };
    const luminance = (data, i) => (data[i] * 19595 + data[i + 1] * 38470 + data[i + 2] * 7471 + 32768) >> 16; // as Pillow
    const [white, black] = over.slice(0, 2).map(data => take(data, luminance)), seen = [range(white), range(black)];
    const isDrawn = range(take(over[2], (data, i) => data[i + 3])) >= 24;
    const channels = [0, 1, 2].map(c => take(over[2], (data, i) => data[i + c])).sort((a, b) => range(b) - range(a));
    if (!isDrawn && Math.max(...seen) < 48 && range(channels[0]) > 3 * Math.max(...seen)) return channels[0];
    return isDrawn && seen[0] < 24 && seen[1] >= 24 ? black : white;
  }

  function pictures() {
    const take = async file => {
      if (!file || !file.type.startsWith("image/")) return;
      try {
        const bitmap = await createImageBitmap(file), scale = Math.min(1, 1200 / Math.max(bitmap.width, bitmap.height));
        const grey = greyOf(bitmap, Math.round(bitmap.width * scale), Math.round(bitmap.height * scale));
        pad.load(grey);
      } catch {
        $("notes").textContent = "This file is not a picture that the browser can read.";
      }
    };
    $("picture").addEventListener("change", event => { take(event.target.files[0]); event.target.value = ""; });
    document.addEventListener("paste", event => take([...event.clipboardData.files][0]));
    const box = $("draw");
    box.addEventListener("dragover", event => { event.preventDefault(); box.classList.add("over"); });
    for (const name of ["dragleave", "drop"]) box.addEventListener(name, () => box.classList.remove("over"));
    box.addEventListener("drop", event => { event.preventDefault(); take(event.dataTransfer.files[0]); });
  }

  // A regression has no picture: one slider a column, from two deviations below its mean to two above.
  function rows() {
    const { columns, means, deviations } = App.data, values = columns.map(() => 0);
    $("pad-box").hidden = true;
    document.querySelector(".seen").hidden = true;
    $("draw-title").firstChild.textContent = "Choose ";
    $("row-inputs").hidden = false;
    const outputs = columns.map((name, k) => {
      const output = el("output"), show = () => { output.textContent = short(values[k] * deviations[k] + means[k], 5); };
      const slider = el("input", { type: "range", min: "-3", max: "3", step: "0.01", value: "0", "aria-label": name,
        input: event => { values[k] = Number(event.target.value); show(); App.show(Float32Array.from(values)); } });
      $("row-inputs").append(el("label", {}, el("span", {}, name), output, slider));
      show();
      return { slider, show };
    });
    if (App.test.count) {
      $("row-inputs").append(el("button", { type: "button", click: () => {
        example = (example + 1) % App.test.count;
        App.input(App.test, example).forEach((value, k) => { values[k] = value; outputs[k].slider.value = value; outputs[k].show(); });
        App.truth = App.test.targets[example];
        App.emit("truth");
        App.show(Float32Array.from(values));
      } }, "A test row"));
    }
    App.show(Float32Array.from(values));
  }

  return { start, get pad() { return pad; }, get read() { return read; } };
})();
