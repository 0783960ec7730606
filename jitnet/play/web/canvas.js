// The drawing area: strokes by pointer or keyboard, light ink on black, and the picture of it.
"use strict";

class Pad {
  // changed(final): after each piece of a stroke, and at its end
  constructor(canvas, changed) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { willReadFrequently: true });
    this.changed = changed;
    this.strokes = []; // each {width, points: [[x, y], ...]}
    this.picture = null; // a loaded picture under the strokes: {h, w, d}
    this.width = 17;
    this.cursor = null; // of the keyboard
    this.active = null; // the stroke that grows
    this.pointer = null; // what draws it
    this.#listen();
    this.draw();
  }

  get isEmpty() { return !this.strokes.length && !this.picture; }

  clear() {
    this.strokes = [];
    this.picture = null;
    this.active = null;
    this.draw();
    this.changed(true);
  }

  undo() {
    if (this.strokes.length) this.strokes.pop();
    else this.picture = null;
    this.draw();
    this.changed(true);
  }

  // Show a picture of grey levels instead.
  load(picture) {
    this.strokes = [];
    this.picture = picture;
    this.draw();
    this.changed(true);
  }

  // What is drawn as grey levels: a loaded picture as it came, as long as nothing is drawn on it.
  grey() {
    if (this.picture && !this.strokes.length) return this.picture;
    const { width, height } = this.canvas, { data } = this.context.getImageData(0, 0, width, height);
    const out = Grey.make(height, width);
    for (let i = 0; i < out.d.length; i++) out.d[i] = data[4 * i];
    return out;
  }

  draw() {
    const { context, canvas } = this;
    context.fillStyle = "#000";
    context.fillRect(0, 0, canvas.width, canvas.height);
    if (this.picture) {
      const { h, w, d } = this.picture, small = paintGrey(document.createElement("canvas"), h, w, d);
      const scale = Math.min(canvas.width / w, canvas.height / h);
      context.imageSmoothingEnabled = w > 64;
      context.drawImage(small, (canvas.width - w * scale) / 2, (canvas.height - h * scale) / 2, w * scale, h * scale);
    }
    for (const stroke of this.strokes) this.#stroke(stroke);
  }

  // A smooth line through the points: a curve from middle to middle of their pieces.
  #stroke({ width, points }) {
    const { context } = this;
    context.strokeStyle = context.fillStyle = "#fff";
    context.lineWidth = width;
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    if (points.length < 2) {
      context.arc(points[0][0], points[0][1], width / 2, 0, 2 * Math.PI);
      context.fill();
      return;
    }
    context.moveTo(...points[0]);
    for (let i = 1; i + 1 < points.length; i++) {
      const [x, y] = points[i], [u, v] = points[i + 1];
      context.quadraticCurveTo(x, y, (x + u) / 2, (y + v) / 2);
    }
    context.lineTo(...points[points.length - 1]);
    context.stroke();
  }

  #begin(point) {
    this.active = { width: this.width, points: [point] };
    this.strokes.push(this.active);
    this.draw();
    this.changed(false);
  }

  #extend(points) {
    this.active.points.push(...points);
    this.draw();
    this.changed(false);
  }

  #listen() {
    const { canvas } = this;
    const place = event => {
      const box = canvas.getBoundingClientRect();
      return [((event.clientX - box.left) / box.width) * canvas.width, ((event.clientY - box.top) / box.height) * canvas.height];
    };
    canvas.addEventListener("pointerdown", event => {
      if (event.button) return;
      event.preventDefault();
      canvas.focus({ preventScroll: true });
      canvas.setPointerCapture(event.pointerId);
      this.pointer = event.pointerId;
      this.#begin(place(event));
    });
    canvas.addEventListener("pointermove", event => {
      if (!this.active || event.pointerId !== this.pointer) return;
      const all = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
      this.#extend((all.length ? all : [event]).map(place));
    });
    const end = () => {
      if (!this.active) return;
      this.active = null;
      this.changed(true);
    };
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, end);
    canvas.addEventListener("keydown", event => this.#key(event));
  }

  // Arrow keys move a pen that space lowers and lifts.
  #key(event) {
    const step = event.shiftKey ? 12 : 6, { width, height } = this.canvas;
    const move = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
    this.cursor = this.cursor || [width / 2, height / 4];
    if (move) {
      this.cursor = [Math.min(width, Math.max(0, this.cursor[0] + move[0])), Math.min(height, Math.max(0, this.cursor[1] + move[1]))];
      if (this.active) this.#extend([this.cursor.slice()]);
    } else if (event.key === " ") {
      if (this.active) {
        this.active = null;
        this.changed(true);
      } else {
        this.#begin(this.cursor.slice());
      }
    } else if (event.key === "Delete" || event.key === "Escape") {
      this.clear();
    } else if ((event.ctrlKey || event.metaKey) && event.key === "z") {
      this.undo();
    } else {
      return;
    }
    event.preventDefault();
    this.#pen();
  }

  // Show where the keyboard's pen is, until the next change.
  #pen() {
    this.draw();
    const { context } = this, [x, y] = this.cursor;
    context.save();
    context.strokeStyle = this.active ? "#5af" : "#999";
    context.lineWidth = 2;
    context.beginPath();
    context.arc(x, y, this.width / 2 + 2, 0, 2 * Math.PI);
    context.stroke();
    context.restore();
    this.marked = true;
  }
}
