// Plane geometry of the map: where a place is on the screen, and which points a polygon holds.

export const MAX_ZOOM = 64 // beyond it the 16-bit steps of the positions would be seen

/** What is looked at: the place (x, y) in the middle, `zoom` times larger than a map of 2 x 2 filling the height. */
export class Camera {
  constructor() {
    this.width = 1
    this.height = 1
    this.bounds = [-1, -1, 1, 1] // of the points: left, bottom, right, top
    this.aside = 0 // pixels on the left that tools cover
    this.fit()
  }

  /** See all. */
  fit() {
    const [left, bottom, right, top] = this.bounds
    this.zoom = this.fitting()
    this.x = (left + right) / 2 - this.aside / 2 / this.scale
    this.y = (bottom + top) / 2
  }

  /** See some, with room around them. */
  fitTo(bounds) {
    const [left, bottom, right, top] = bounds
    const zoom = Math.min(8, 0.85 * this.fitting(bounds))
    this.set((left + right) / 2, (bottom + top) / 2, zoom)
    this.set(this.x - this.aside / 2 / this.scale, this.y, this.zoom)
  }

  fitting([left, bottom, right, top] = this.bounds) {
    const across = (2 * Math.max(1, this.width - this.aside)) / this.height / Math.max(0.05, right - left)
    return 0.9 * Math.min(across, 2 / Math.max(0.05, top - bottom))
  }

  resize(width, height) {
    const fitted = Math.abs(this.zoom / this.fitting() - 1) < 0.01
    this.width = Math.max(1, width)
    this.height = Math.max(1, height)
    if (fitted) this.fit()
  }

  set(x, y, zoom) {
    this.zoom = Math.min(MAX_ZOOM, Math.max(0.4 * this.fitting(), zoom))
    this.x = Math.min(1.2, Math.max(-1.2, x))
    this.y = Math.min(1.2, Math.max(-1.2, y))
  }

  /** Pixels that one unit of the map is long. */
  get scale() {
    return (this.zoom * this.height) / 2
  }

  toScreen(x, y) {
    return [this.width / 2 + (x - this.x) * this.scale, this.height / 2 - (y - this.y) * this.scale]
  }

  toMap(left, top) {
    return [this.x + (left - this.width / 2) / this.scale, this.y - (top - this.height / 2) / this.scale]
  }

  pan(dx, dy) {
    this.set(this.x - dx / this.scale, this.y + dy / this.scale, this.zoom)
  }

  /** Zoom so that what is under (left, top) stays there. */
  zoomAt(left, top, factor) {
    const [x, y] = this.toMap(left, top)
    this.set(this.x, this.y, this.zoom * factor)
    const [nowX, nowY] = this.toMap(left, top)
    this.set(this.x + x - nowX, this.y + y - nowY, this.zoom)
  }

  /** Column by column, for WebGL. */
  matrix() {
    const z = this.zoom
    return new Float32Array([z, 0, 0, 0, 0, z, 0, 0, 0, 0, 1, 0, -this.x * z, -this.y * z, 0, 1])
  }
}

/** Even-odd rule; corners as [x, y]. */
export function inside(polygon, x, y) {
  let within = false
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [ax, ay] = polygon[i]
    const [bx, by] = polygon[j]
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) within = !within
  }
  return within
}

/** Fewer corners, none further from the drawn line than `tolerance` (Douglas and Peucker 1973); at most `most`. */
export function simplify(corners, tolerance, most) {
  if (corners.length <= 4) return corners
  let found = corners
  for (let grown = tolerance; ; grown *= 1.6) {
    const keep = new Uint8Array(corners.length)
    keep[0] = keep[corners.length - 1] = 1
    const spans = [[0, corners.length - 1]]
    while (spans.length) {
      const [first, last] = spans.pop()
      let far = -1
      let distance = grown
      for (let i = first + 1; i < last; i++) {
        const d = fromLine(corners[i], corners[first], corners[last])
        if (d > distance) [far, distance] = [i, d]
      }
      if (far > 0) {
        keep[far] = 1
        spans.push([first, far], [far, last])
      }
    }
    found = corners.filter((_, i) => keep[i])
    if (found.length <= most) return found
  }
}

function fromLine([x, y], [ax, ay], [bx, by]) {
  const dx = bx - ax
  const dy = by - ay
  const length = dx * dx + dy * dy
  const t = length ? Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / length)) : 0
  return Math.hypot(x - ax - t * dx, y - ay - t * dy)
}

/** Points sorted into square cells, to find those near a place or inside a polygon without looking at all. */
export class Grid {
  /**
   * @param {Float32Array} xs in [-1, 1]; NaN is nowhere
   * @param {Float32Array} ys
   */
  constructor(xs, ys) {
    this.xs = xs
    this.ys = ys
    this.side = Math.max(4, Math.min(768, Math.round(Math.sqrt(xs.length / 3))))
    this.starts = new Uint32Array(this.side * this.side + 1)
    const cells = new Int32Array(xs.length)
    for (let i = 0; i < xs.length; i++) {
      cells[i] = Number.isNaN(xs[i]) ? -1 : this.cell(xs[i]) + this.side * this.cell(ys[i])
      if (cells[i] >= 0) this.starts[cells[i] + 1]++
    }
    for (let c = 1; c < this.starts.length; c++) this.starts[c] += this.starts[c - 1]
    const next = this.starts.slice(0, -1)
    this.rows = new Uint32Array(this.starts[this.starts.length - 1])
    for (let i = 0; i < xs.length; i++) if (cells[i] >= 0) this.rows[next[cells[i]]++] = i
  }

  cell(value) {
    return Math.max(0, Math.min(this.side - 1, Math.floor(((value + 1) / 2) * this.side)))
  }

  /** The row nearest to a place within `radius` that `accept` lets through, or -1. */
  nearest(x, y, radius, accept) {
    let best = -1
    let least = radius * radius
    const [left, right, bottom, top] = [x - radius, x + radius, y - radius, y + radius].map((value) => this.cell(value))
    for (let row = bottom; row <= top; row++) {
      for (let column = left; column <= right; column++) {
        const cell = row * this.side + column
        for (let k = this.starts[cell]; k < this.starts[cell + 1]; k++) {
          const i = this.rows[k]
          const d = (this.xs[i] - x) ** 2 + (this.ys[i] - y) ** 2
          if (d <= least && accept(i)) [best, least] = [i, d]
        }
      }
    }
    return best
  }

  /** 1 for each row inside the polygon. Cells that its line does not cross are tested once. */
  within(polygon) {
    const found = new Uint8Array(this.xs.length)
    const side = this.side
    const crossed = new Uint8Array(side * side)
    const step = 0.5 / side
    for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
      const [ax, ay] = polygon[j]
      const [bx, by] = polygon[i]
      const steps = Math.max(1, Math.ceil(Math.hypot(bx - ax, by - ay) / step))
      for (let s = 0; s <= steps; s++) {
        const column = this.cell(ax + ((bx - ax) * s) / steps)
        const row = this.cell(ay + ((by - ay) * s) / steps)
        for (let r = Math.max(0, row - 1); r <= Math.min(side - 1, row + 1); r++)
          for (let c = Math.max(0, column - 1); c <= Math.min(side - 1, column + 1); c++) crossed[r * side + c] = 1
      }
    }
    const xs = polygon.map(([x]) => x)
    const ys = polygon.map(([, y]) => y)
    const [left, right, bottom, top] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)].map((v) => this.cell(v))
    for (let row = bottom; row <= top; row++) {
      for (let column = left; column <= right; column++) {
        const cell = row * side + column
        const [first, last] = [this.starts[cell], this.starts[cell + 1]]
        if (first === last) continue
        if (crossed[cell]) {
          for (let k = first; k < last; k++) {
            const i = this.rows[k]
            if (inside(polygon, this.xs[i], this.ys[i])) found[i] = 1
          }
        } else if (inside(polygon, (2 * (column + 0.5)) / side - 1, (2 * (row + 0.5)) / side - 1)) {
          for (let k = first; k < last; k++) found[this.rows[k]] = 1
        }
      }
    }
    return found
  }
}
