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
      const found = $("as-drawn").checked ? Prepare.asDrawn(grey, H, W) : Prepare.prepare(grey, App.data.style, H, W);
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

  function pictures() {
    const take = async file => {
      if (!file || !file.type.startsWith("image/")) return;
      try {
        const bitmap = await createImageBitmap(file), scale = Math.min(1, 1200 / Math.max(bitmap.width, bitmap.height));
        const canvas = el("canvas", { width: Math.round(bitmap.width * scale), height: Math.round(bitmap.height * scale) });
        const context = canvas.getContext("2d");
        context.fillStyle = "#fff"; // transparency is over white
        context.fillRect(0, 0, canvas.width, canvas.height);
        context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
        const { data } = context.getImageData(0, 0, canvas.width, canvas.height), grey = Grey.make(canvas.height, canvas.width);
        for (let i = 0; i < grey.d.length; i++) {
          grey.d[i] = (data[4 * i] * 19595 + data[4 * i + 1] * 38470 + data[4 * i + 2] * 7471 + 32768) >> 16; // as Pillow
        }
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
