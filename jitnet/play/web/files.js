// Weights as files that jitnet reads and writes, and the checkpoints that the run kept.
"use strict";

const Files = (() => {
  function start() {
    $("save").addEventListener("click", save);
    $("load").addEventListener("change", async event => {
      const [file] = event.target.files;
      event.target.value = "";
      if (file) load(new Uint8Array(await file.arrayBuffer()), file.name);
    });
    timeline();
  }

  function bytes() {
    return Safetensors.write(App.trainer.tensors(), { ...App.data.metadata, title: `${App.data.metadata.title}-page`, saved: new Date().toISOString().slice(0, 19) + "+00:00" });
  }

  function save() {
    const name = `${App.data.title.replace(/[^A-Za-z0-9._-]+/g, "-")}-page.safetensors`;
    const address = URL.createObjectURL(new Blob([bytes()], { type: "application/octet-stream" }));
    const link = el("a", { href: address, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
    $("file-note").textContent = `Saved ${name}: jitnet eval ${name} measures it.`;
  }

  function load(content, name) {
    try {
      const { tensors } = Safetensors.read(content), own = App.trainer.tensors(), parameters = new Float32Array(App.trainer.count);
      let at = 0;
      for (const [part, { shape, values }] of Object.entries(own)) {
        const given = tensors[part];
        if (!given || String(given.shape) !== String(shape)) {
          throw new Refusal(`This file is of another network: for ${part} it has ${given ? given.shape.join(" × ") : "nothing"}, expected ${shape.join(" × ")}.`);
        }
        parameters.set(given.values, at);
        at += values.length;
      }
      Lesson.use(parameters, `loading ${name}`);
      $("file-note").textContent = `Loaded ${name}.`;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      $("file-note").textContent = error.message;
    }
  }

  function timeline() {
    const { snapshots, label } = App.data, count = snapshots.length;
    if (!count) return;
    const slider = $("epoch"), known = new Map([[count, App.kept]]);
    $("timeline").hidden = false;
    slider.max = slider.value = String(count);
    $("epoch-now").textContent = label;
    slider.addEventListener("input", async () => {
      const place = Number(slider.value);
      $("epoch-now").textContent = place < count ? snapshots[place].label : label;
      if (!known.has(place)) known.set(place, await Packed.parameters(snapshots[place].parameters, App.counts));
      if (Number(slider.value) === place) Lesson.use(known.get(place), "another checkpoint");
    });
  }

  return { start, bytes, load };
})();
