// The product under the pointer: its picture and name, fetched when it is looked at and kept.
import { element, icon } from "./dom.js"

const DWELL_MS = 70
const KEPT = 400

export class Card {
  constructor(layer, open) {
    this.layer = layer
    this.open = open
    this.known = new Map()
    this.row = -1
  }

  /** Show a row beside (left, top). Touch gets a card that stays, with a button. */
  show(row, url, left, top, camera, kind) {
    this.place = [left, top]
    this.camera = camera
    if (row === this.row && this.kind === kind) return this.settle()
    this.row = row
    this.kind = kind
    clearTimeout(this.timer)
    const known = this.known.get(url + row)
    if (known) return this.fill(known)
    this.timer = setTimeout(async () => {
      try {
        const answer = await fetch(url + row)
        if (!answer.ok) throw new Error(String(answer.status))
        const product = await answer.json()
        this.known.set(url + row, product)
        if (this.known.size > KEPT) this.known.delete(this.known.keys().next().value)
        if (this.row === row) this.fill(product)
      } catch {
        if (this.row === row) this.fill({ name: "This product cannot be read.", category: "", facts: "", src: null })
      }
    }, kind === "mouse" ? DWELL_MS : 0)
  }

  fill(product) {
    const frame = element("div", { class: "frame" })
    const none = (words) => frame.replaceChildren(element("span", { class: "none" }, words))
    if (product.src) {
      const image = element("img", { alt: "", src: product.src })
      image.onerror = () => none("Picture missing or broken")
      frame.append(image)
    } else none("No picture")
    const words = element(
      "div",
      { class: "words" },
      element("div", { class: "category" }, product.category),
      element("div", { class: "name", dir: "auto" }, product.name),
      element("div", { class: "facts" }, product.facts),
    )
    const row = this.row
    if (this.kind === "mouse") words.append(element("div", { class: "hint" }, "Click to open"))
    else words.append(element("button", { type: "button", class: "open", onclick: () => this.open(row) }, "Open"))
    const close = this.kind === "mouse" ? null : element("button", { type: "button", class: "close", "aria-label": "Close", onclick: () => this.hide() }, icon("close"))
    this.layer.replaceChildren(...[frame, words, close].filter(Boolean))
    this.layer.classList.add("seen")
    this.layer.classList.toggle("still", this.kind !== "mouse")
    this.settle()
    this.shown?.(product)
  }

  settle() {
    if (!this.layer.classList.contains("seen")) return
    const [left, top] = this.place
    const { offsetWidth: width, offsetHeight: height } = this.layer
    const x = left + 18 + width > this.camera.width ? Math.max(8, left - width - 18) : left + 18
    const y = Math.max(8, Math.min(this.camera.height - height - 8, top - height / 2))
    this.layer.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`
  }

  hide() {
    clearTimeout(this.timer)
    this.row = -1
    this.layer.classList.remove("seen")
  }
}
