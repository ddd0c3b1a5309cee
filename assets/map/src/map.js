// One map on a page: holds the data, the view and what is chosen, and keeps all layers in step.
import { bounds, codes, mask, positions, shuffled } from "./buffers.js"
import { Card } from "./card.js"
import { drawDensity, rgb } from "./density.js"
import { button, element, icon, nextFrame, number } from "./dom.js"
import { Camera, Grid, simplify } from "./geometry.js"
import { listen } from "./gestures.js"
import { Labels } from "./labels.js"
import { fillLegend } from "./legend.js"
import { drawMarks } from "./marks.js"
import { Points, supported } from "./points.js"

const CORNERS = 200 // of a lasso
const MANY = 200_000 // products; painting them anew takes seconds where the processor paints, so words go first
const NEAR = { mouse: 9, touch: 22, pen: 14 } // pixels around the pointer in which a point is meant
const HINT = matchMedia("(pointer: coarse)").matches
  ? "Drag to move, pinch to zoom, hold to draw a lasso."
  : "Drag to move, scroll to zoom, Shift and drag to draw a lasso."

export class MapView {
  constructor(root, send) {
    this.begun = performance.now()
    this.send = send
    this.camera = new Camera()
    this.mode = "pan"
    this.marks = { area: null, hits: [], pointed: null, crosshair: false, drawing: false }
    this.stop = new AbortController()
    this.build(root)
    this.observer = new ResizeObserver(() => this.resize())
    this.observer.observe(this.surface)
    this.stopListening = listen(this.surface, this.camera, () => this.mode, {
      moved: () => this.look(),
      point: (left, top, kind) => this.point(left, top, kind),
      away: () => this.unpoint(),
      choose: (left, top, kind) => this.choose(left, top, kind),
      lassoStart: () => this.lassoStart(),
      lassoMove: (corners) => this.lassoMove(corners),
      lassoEnd: (corners) => this.lassoEnd(corners),
      key: (key) => this.key(key),
    })
  }

  build(root) {
    const layer = (name) => element("canvas", { class: `layer ${name}`, "aria-hidden": "true" })
    this.canvas = { points: layer("points"), density: layer("density"), marks: layer("marks") }
    const labels = element("div", { class: "labels", "aria-hidden": "true" })
    this.surface = element(
      "div",
      { class: "surface", tabindex: "0", role: "application", "aria-roledescription": "map" },
      this.canvas.points, this.canvas.density, labels, this.canvas.marks,
    )
    this.labels = new Labels(labels)
    const mode = (name, title) => button(name, title, () => this.setMode(this.mode === name ? "pan" : name))
    this.modes = { pan: mode("pan", "Move the map (P)"), lasso: mode("lasso", "Draw a lasso (L)"), rectangle: mode("rectangle", "Draw a rectangle (R)") }
    const zoom = (factor) => () => this.glide(() => this.camera.zoomAt(this.camera.width / 2, this.camera.height / 2, factor))
    const slider = (title, low, high, step, name) => {
      const input = element("input", { type: "range", min: low, max: high, step, "aria-label": title })
      input.oninput = () => this.setLook({ [name]: Number(input.value) })
      input.onchange = () => this.send("look", { dot: this.dot, opacity: this.opacity })
      this[`${name}Input`] = input
      return element("label", {}, element("span", {}, title), input)
    }
    this.sliders = element("div", { class: "sliders", hidden: true }, slider("Size", "0.5", "14", "0.1", "dot"), slider("Opacity", "0.05", "1", "0.05", "opacity"))
    this.tools = element(
      "div",
      { class: "tools", role: "toolbar", "aria-label": "Map tools" },
      element("div", { class: "group" }, ...Object.values(this.modes)),
      element("div", { class: "group" }, button("plus", "Zoom in (+)", zoom(1.8)), button("minus", "Zoom out (-)", zoom(1 / 1.8)), button("fit", "Show all (0)", () => this.glide(() => this.camera.fit()))),
      element("div", { class: "group" }, button("look", "Size and opacity", () => (this.sliders.hidden = !this.sliders.hidden)), button("full", "Full screen", () => this.fullScreen())),
    )
    this.card = new Card(element("div", { class: "card" }), (row) => this.send("picked", row))
    this.status = element("div", { class: "status", role: "status" }, "Loading the map")
    this.chosen = element("div", { class: "chosen", hidden: true })
    this.live = element("div", { class: "live", "aria-live": "polite" })
    this.tip = element("div", { class: "tip" }, HINT)
    this.legend = element("aside", { class: "legend", "aria-label": "Legend" })
    this.stage = element("div", { class: "stage" }, this.surface, this.tools, this.sliders, this.tip, this.card.layer, this.chosen, this.status, this.live)
    this.card.shown = (product) => (this.live.textContent = `${product.name}, ${product.category}`)
    this.root = element("div", { class: "map" }, this.stage, this.legend)
    root.append(this.root)
    this.setMode("pan")
    if (!supported()) {
      this.say("This browser has no WebGL: loading a simpler map.")
      this.send("webgl", "absent")
      this.broken = true
    }
  }

  /** What Python says: called at every run of the page; only what changed is done. */
  async update(data) {
    this.data = data
    if (this.broken) return
    this.readTheme()
    this.surface.setAttribute("aria-label", data.summary)
    this.stage.dataset.layer = data.layer
    this.setLook({ dot: data.dot, opacity: data.opacity }, false)
    try {
      if (this.pointsUrl !== data.points.url) {
        this.pointsUrl = data.points.url
        this.ready = this.loadPoints(data.points)
      }
      await this.ready
      if (this.data !== data) return // the page said something newer meanwhile
      const changed = []
      if (this.colourUrl !== data.colour.url) changed.push(this.loadColours(data.colour))
      if (this.litUrl !== data.lit) changed.push(this.loadLit(data.lit))
      await Promise.all(changed)
      this.only = null
    } catch (error) {
      if (error.name !== "AbortError") this.say(`The map could not be loaded: ${error.message}`)
      return
    }
    if (JSON.stringify(data.area ?? null) !== JSON.stringify(this.marks.area)) this.setArea(data.area)
    if (JSON.stringify(data.regions) !== this.regions) {
      this.regions = JSON.stringify(data.regions)
      this.labels.set(data.regions)
    }
    this.marks.hits = data.hits.map((row) => [this.xs[row], this.ys[row]]).filter(([x]) => !Number.isNaN(x))
    this.fillLegend()
    this.fillChosen(data.chosen)
    clearTimeout(this.later)
    if (this.xs.length > MANY) await nextFrame()
    await this.repaint()
  }

  async loadPoints({ url, rows }) {
    this.say(`Loading ${number(rows)} products`)
    const { xs, ys } = await positions(url, (share) => this.say(`Loading ${number(rows)} products: ${Math.round(100 * share)} %`), this.stop.signal)
    Object.assign(this, { xs, ys, order: shuffled(xs), grid: new Grid(xs, ys) })
    this.camera.bounds = bounds(xs, ys)
    this.camera.fit()
    this.codes = new Uint8Array(xs.length)
    this.colourUrl = this.litUrl = undefined
    this.lit = this.inArea = this.only = null
    this.points?.destroy()
    try {
      this.points = new Points(this.canvas.points, xs.length)
    } catch (error) {
      this.broken = true
      this.send("webgl", String(error.message).slice(0, 200))
      throw error
    }
    this.points.onLost(() => this.send("webgl", "lost"))
    this.resize()
  }

  async loadColours(colour) {
    this.colourUrl = colour.url
    this.codes = colour.url ? await codes(colour.url, this.stop.signal) : new Uint8Array(this.xs.length)
  }

  async loadLit(url) {
    this.litUrl = url
    this.lit = url ? await mask(url, this.xs.length, this.stop.signal) : null
  }

  say(words) {
    this.status.textContent = words
    this.status.hidden = !words
  }

  readTheme() {
    const style = getComputedStyle(this.root)
    const of = (name) => style.getPropertyValue(name).trim()
    this.ink = { text: of("--st-text-color"), paper: of("--st-background-color"), accent: of("--st-primary-color") }
    const [r, g, b] = rgb(this.ink.paper)
    this.dark = 0.299 * r + 0.587 * g + 0.114 * b < 128
    this.root.classList.toggle("dark", this.dark)
  }

  setLook({ dot, opacity }, paint = true) {
    const n = Math.max(1, this.data?.points.rows ?? 1)
    this.dot = dot ?? this.dot ?? Math.max(1.1, Math.min(9, 66 / n ** 0.28))
    this.opacity = opacity ?? this.opacity ?? Math.max(0.4, Math.min(0.9, 6.5 / n ** 0.2))
    this.dotInput.value = this.dot
    this.opacityInput.value = this.opacity
    if (paint && this.points) {
      this.applyLook()
      this.look()
    }
  }

  applyLook() {
    const colour = this.data.colour
    const own = colour.kind === "number" ? colour.steps[this.dark ? "dark" : "light"] : colour.entries.map((entry) => (this.dark ? entry.dark : entry.colour))
    this.points.look([...(own.length ? own : ["#0072B2"]), this.dark ? "#6b665e" : "#a8a298"], this.dot, this.opacity)
    this.unmeantCode = Math.max(1, own.length)
  }

  /** Which rows are meant: those of the filter, of the colours that were just clicked, and of the lasso. */
  meant() {
    const parts = [this.lit, this.inArea].filter(Boolean)
    if (!parts.length && !this.only) return null
    const found = parts.length ? parts[0].slice() : new Uint8Array(this.xs.length).fill(1)
    if (parts.length > 1) for (let i = 0; i < found.length; i++) found[i] &= parts[1][i]
    if (this.only) for (let i = 0; i < found.length; i++) found[i] &= this.only[this.codes[i]]
    return found
  }

  /** Draw the points anew if their colours, or which are meant, changed. */
  async repaint() {
    if (!this.points) return
    const wish = JSON.stringify([
      ...[this.pointsUrl, this.colourUrl, this.litUrl, this.marks.area, this.only && [...this.only]],
      ...[this.data.layer, this.data.colour.steps, this.dark, this.dot, this.opacity],
    ])
    if (wish === this.painted) return this.look()
    this.painted = wish
    this.now = this.meant()
    this.applyLook()
    if (this.data.layer !== "density") {
      this.points.view(this.camera)
      await this.points.draw(this.order, this.xs, this.ys, this.codes, this.now, this.unmeantCode)
    }
    this.look()
    this.say("")
    if (!this.root.dataset.painted) performance.measure("vitrine-map", { start: this.begun, end: performance.now() })
    this.root.dataset.painted = String(this.order.length) // what a test and a benchmark wait for
  }

  /** Draw the view: cheap, at most once a frame. */
  look() {
    if (this.frame) return
    this.frame = requestAnimationFrame(() => {
      this.frame = 0
      if (!this.points || this.stop.signal.aborted) return
      if (this.data.layer === "density") {
        const ramp = (this.dark ? this.data.ramp.dark : this.data.ramp.light).map(rgb)
        drawDensity(this.canvas.density, this.camera, this.order, this.xs, this.ys, this.now, ramp)
      } else this.points.view(this.camera)
      this.labels.place(this.camera, [[0, 0, this.tools.offsetLeft + this.tools.offsetWidth, this.tools.offsetTop + this.tools.offsetHeight]])
      drawMarks(this.canvas.marks, this.camera, this.marks, this.ink)
    })
  }

  lookMarks() {
    drawMarks(this.canvas.marks, this.camera, this.marks, this.ink ?? {})
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.surface
    if (!width || !height) return
    this.camera.aside = width > 560 ? 56 : 0
    this.camera.resize(width, height)
    this.points?.resize(width, height)
    this.look()
  }

  /** Go from the view that is to the one that `change` makes, softly where motion is welcome. */
  glide(change) {
    const { camera } = this
    const from = [camera.x, camera.y, camera.zoom]
    change()
    const to = [camera.x, camera.y, camera.zoom]
    if (this.xs?.length > 400_000 || matchMedia("(prefers-reduced-motion: reduce)").matches) return this.look()
    const begun = performance.now()
    const step = (now) => {
      const part = Math.min(1, (now - begun) / 220)
      const eased = 1 - (1 - part) ** 3
      camera.set(from[0] + (to[0] - from[0]) * eased, from[1] + (to[1] - from[1]) * eased, from[2] * (to[2] / from[2]) ** eased)
      this.look()
      if (part < 1 && !this.stop.signal.aborted) requestAnimationFrame(step)
    }
    requestAnimationFrame(step)
  }

  setMode(mode) {
    this.mode = mode
    for (const [name, one] of Object.entries(this.modes)) one.setAttribute("aria-pressed", String(name === mode))
    this.stage.dataset.mode = mode
    this.tip.textContent = mode === "pan" ? HINT : mode === "lasso" ? "Draw around the products you want." : "Drag a rectangle over the products you want."
  }

  at(left, top, kind) {
    if (!this.grid) return -1
    const reach = Math.max(NEAR[kind] ?? NEAR.mouse, this.dot)
    return this.grid.nearest(...this.camera.toMap(left, top), reach / this.camera.scale, (row) => !this.now || this.now[row] === 1)
  }

  point(left, top, kind) {
    if (this.mode !== "pan") return
    const row = this.at(left, top, kind)
    this.surface.classList.toggle("pointing", row >= 0)
    if (row < 0) return this.unpoint()
    this.marks.pointed = [this.xs[row], this.ys[row]]
    this.card.show(row, this.data.product, left, top, this.camera, kind)
    this.lookMarks()
  }

  unpoint() {
    if (!this.marks.pointed) return
    this.marks.pointed = null
    this.card.hide()
    this.lookMarks()
  }

  choose(left, top, kind) {
    this.sliders.hidden = true
    const row = this.at(left, top, kind)
    if (row < 0) return this.unpoint()
    if (kind === "mouse") {
      this.unpoint()
      return this.send("picked", row)
    }
    this.point(left, top, kind)
  }

  lassoStart() {
    this.unpoint()
    this.surface.focus({ preventScroll: true })
    Object.assign(this.marks, { area: [], drawing: true })
  }

  lassoMove(corners) {
    this.marks.area = corners.map((corner) => this.camera.toMap(...corner))
    this.lookMarks()
  }

  lassoEnd(corners) {
    this.marks.drawing = false
    const drawn = corners.map((corner) => this.camera.toMap(...corner))
    const area = simplify(drawn, 0.8 / this.camera.scale, CORNERS).map((corner) => corner.map((value) => Number(value.toFixed(5))))
    if (area.length < 3) {
      this.marks.area = this.data?.area ?? null
      return this.look()
    }
    this.setMode("pan")
    this.select(area)
  }

  select(area) {
    this.setArea(area)
    this.chosen.hidden = false
    this.chosen.replaceChildren(element("span", { class: "say" }, `${number(this.countMeant())} products`))
    this.send("area", area)
    // The answer of the server, which opens them, must not wait behind the paint.
    this.later = setTimeout(() => this.repaint(), this.xs?.length > MANY ? 6_000 : 0)
  }

  /** Products of the filter that the lasso holds, as far as the browser knows: at once, and rounded as positions are. */
  countMeant() {
    const meant = this.meant()
    return meant ? meant.reduce((sum, one) => sum + one, 0) : this.order?.length ?? 0
  }

  setArea(area) {
    this.marks.area = area ?? null
    this.inArea = area && this.grid ? this.grid.within(area) : null
  }

  clear() {
    this.setArea(null)
    this.chosen.hidden = true
    this.send("area", [])
    this.repaint()
  }

  /** chosen: {count, of, browse, statistics} or null */
  fillChosen(chosen) {
    this.chosen.hidden = !chosen
    this.tip.hidden = Boolean(chosen)
    if (!chosen) return
    const say = chosen.count ? `${number(chosen.count)} of ${number(chosen.of)} products` : "No products inside"
    this.live.textContent = say
    this.chosen.replaceChildren(
      element("span", { class: "say" }, say),
      ...(chosen.count
        ? [
            element("a", { class: "first", href: chosen.browse, target: "_self" }, `Open ${number(chosen.count)} in Browse`),
            element("a", { href: chosen.statistics, target: "_self" }, "Open in Statistics"),
          ]
        : []),
      element("button", { type: "button", class: "close", title: "Clear the lasso (Escape)", "aria-label": "Clear the lasso", onclick: () => this.clear() }, icon("close")),
    )
  }

  fillLegend() {
    const seeFound = () => this.glide(() => this.camera.fitTo(bounds(...[0, 1].map((axis) => this.marks.hits.map((hit) => hit[axis])))))
    fillLegend(this.legend, this.data.colour, this.dark, (at) => this.toggle(at), this.marks.hits.length, seeFound)
  }

  toggle(at) {
    const entries = this.data.colour.entries
    entries[at].on = !entries[at].on
    const on = entries.filter((entry) => entry.on && entry.can)
    this.only = on.length ? Uint8Array.from({ length: 256 }, (_, code) => Number(Boolean(entries[code]?.on))) : null
    this.lit = this.litUrl = null // the answer of the server replaces it
    this.fillLegend()
    this.repaint()
    this.send("filter", { column: this.data.colour.column, values: on.map((entry) => entry.value) })
  }

  key(key) {
    const middle = [this.camera.width / 2, this.camera.height / 2]
    if (key === "look") {
      this.marks.crosshair = true
      this.point(...middle, "key")
    } else if (key === "Enter") {
      const row = this.at(...middle, "touch")
      if (row >= 0) this.send("picked", row)
    } else if (key === " ") {
      const corner = (x, y) => this.camera.toMap(x, y).map((value) => Number(value.toFixed(5)))
      const { width, height } = this.camera
      this.select([corner(0, 0), corner(width, 0), corner(width, height), corner(0, height)])
    } else if (key === "Escape") {
      this.marks.crosshair = false
      this.unpoint()
      if (this.mode !== "pan") this.setMode("pan")
      else if (this.marks.area) this.clear()
    } else this.setMode({ l: "lasso", r: "rectangle", p: "pan" }[key])
    this.look()
  }

  fullScreen() {
    if (document.fullscreenElement) document.exitFullscreen()
    else this.root.requestFullscreen?.()
  }

  destroy() {
    this.stop.abort()
    clearTimeout(this.later)
    this.observer.disconnect()
    this.stopListening()
    this.card.hide()
    this.points?.destroy()
    this.root.remove()
  }
}
