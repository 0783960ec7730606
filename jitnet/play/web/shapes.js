// The connected pieces of ink, and which of them are the drawing: jitnet/data/pictures/shapes.py.
"use strict";

const Shapes = (() => {
  const MOST = 50, DUST = 0.03, FRAME = 0.15, INSIDE = 0.1, PART = 0.3;

  // The connected pieces above a threshold as masks with their mass, the heaviest first; pixels meet at corners too.
  function pieces(strength, threshold) {
    const { h, w, d } = strength, label = new Int32Array(h * w).fill(-1), found = [];
    for (let first = 0; first < d.length; first++) {
      if (label[first] >= 0 || !(d[first] > threshold)) continue;
      const name = found.length, stack = [first], mask = Grey.make(h, w);
      let mass = 0;
      label[first] = name;
      while (stack.length) {
        const at = stack.pop(), y = Math.floor(at / w), x = at % w;
        mask.d[at] = 1;
        mass += d[at];
        for (let v = Math.max(0, y - 1); v <= Math.min(h - 1, y + 1); v++) {
          for (let u = Math.max(0, x - 1); u <= Math.min(w - 1, x + 1); u++) {
            const next = v * w + u;
            if (label[next] < 0 && d[next] > threshold) { label[next] = name; stack.push(next); }
          }
        }
      }
      found.push({ mask, mass, first });
    }
    return found.filter(each => each.mass > 0).sort((a, b) => b.mass - a.mass || a.first - b.first).slice(0, MOST);
  }

  // The mask of the drawing, without dust and frames, and whether there seem to be several drawings.
  function drawing(strength, threshold) {
    let found = pieces(strength, threshold);
    if (!found.length) return { mask: Grey.make(strength.h, strength.w), several: false };
    const rest = found.filter(each => !isFrame(each.mask));
    if (rest.length && rest[0].mass > INSIDE * found[0].mass) found = rest;
    const inside = found.map(each => !touches(each.mask));
    const main = Math.max(0, found.findIndex((each, i) => inside[i] && each.mass > 0.3 * found[0].mass));
    const kept = found.filter((each, i) => each.mass >= DUST * found[main].mass && (inside[i] || !inside[main]));
    if (!kept.includes(found[main])) kept.push(found[main]);
    const mask = Grey.make(strength.h, strength.w);
    for (const each of kept) for (let i = 0; i < mask.d.length; i++) if (each.mask.d[i]) mask.d[i] = 1;
    return { mask, several: several(strength, mask) };
  }

  function lines(mask) { // which columns and rows have something
    const columns = new Array(mask.w).fill(false), rows = new Array(mask.h).fill(false);
    for (let y = 0; y < mask.h; y++) {
      for (let x = 0; x < mask.w; x++) if (mask.d[y * mask.w + x]) columns[x] = rows[y] = true;
    }
    return { columns, rows };
  }

  // A box drawn around the picture: nearly as large, and nearly all of it next to the border.
  function isFrame(mask) {
    const { columns, rows } = lines(mask), count = flags => flags.filter(Boolean).length;
    if (count(rows) < 0.8 * mask.h && count(columns) < 0.8 * mask.w) return false;
    const deep = [mask.h, mask.w].map(extent => Math.max(1, Grey.rint(FRAME * extent)));
    let within = 0, all = 0;
    for (let y = 0; y < mask.h; y++) {
      for (let x = 0; x < mask.w; x++) {
        if (!mask.d[y * mask.w + x]) continue;
        all++;
        if (y >= deep[0] && y < mask.h - deep[0] && x >= deep[1] && x < mask.w - deep[1]) within++;
      }
    }
    return within < 0.2 * all;
  }

  function touches(mask) {
    const { columns, rows } = lines(mask);
    return rows[0] || rows[mask.h - 1] || columns[0] || columns[mask.w - 1];
  }

  // Whether empty columns part the drawing into pieces that are both heavy, and both as tall as a character.
  function several(strength, mask) {
    const { columns, rows } = lines(mask), places = flags => flags.map((there, i) => (there ? i : -1)).filter(i => i >= 0);
    const across = places(columns), down = places(rows);
    if (!down.length) return false;
    const height = down[down.length - 1] - down[0] + 1;
    for (let n = 0; n + 1 < across.length; n++) {
      if (across[n + 1] - across[n] <= Math.max(2, 0.05 * down.length)) continue;
      const sides = [[0, across[n] + 1], [across[n] + 1, mask.w]].map(([from, to]) => {
        let low = Infinity, high = -1, heavy = 0;
        for (let y = 0; y < mask.h; y++) {
          for (let x = from; x < to; x++) {
            if (!mask.d[y * mask.w + x]) continue;
            low = Math.min(low, y);
            high = y;
            heavy += strength.d[y * mask.w + x];
          }
        }
        return { tall: high - low + 1, heavy };
      });
      const [a, b] = sides;
      if (Math.min(a.tall, b.tall) > 0.5 * height && Math.min(a.heavy, b.heavy) > PART * Math.max(a.heavy, b.heavy)) return true;
    }
    return false;
  }

  return { drawing };
})();
