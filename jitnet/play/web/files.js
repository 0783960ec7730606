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
    const { snapshots, label, place } = App.data, slider = $("epoch");
    if (!snapshots.length) return;
    const stops = snapshots.map(each => ({ label: each.label, take: () => Packed.parameters(each.parameters, App.counts) }));
    stops.splice(place, 0, { label, take: async () => App.kept });
    $("timeline").hidden = false;
    slider.max = String(snapshots.length);
    slider.value = String(place);
    $("epoch-now").textContent = label;
    slider.addEventListener("input", async () => {
      const now = slider.value, stop = stops[Number(now)];
      $("epoch-now").textContent = stop.label;
      const parameters = await stop.take();
      if (slider.value === now) Lesson.use(parameters, "another checkpoint");
    });
  }

  return { start, bytes, load };
})();
