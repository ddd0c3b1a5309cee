// The names of regions, as text over the map: large ones first, and none over another.

const GAP = 6
const AGAIN = 260 // pixels between two regions of the same name

export class Labels {
  constructor(layer) {
    this.layer = layer
    this.regions = []
  }

  /** regions: {label, x, y, size}, in any order. */
  set(regions) {
    const largest = Math.max(1, ...regions.map((region) => region.size))
    this.regions = [...regions]
      .sort((a, b) => b.size - a.size)
      .map((region) => {
        const element = document.createElement("span")
        element.className = "label"
        element.textContent = region.label
        element.style.fontSize = `${(11.5 + 4.5 * Math.sqrt(region.size / largest)).toFixed(1)}px`
        return { ...region, element }
      })
    this.layer.replaceChildren(...this.regions.map((region) => region.element))
    for (const region of this.regions) {
      region.width = region.element.offsetWidth
      region.height = region.element.offsetHeight
    }
  }

  /** covered: boxes (left, top, right, bottom) in pixels where no label may be. */
  place(camera, covered) {
    const taken = covered.map((box) => [...box])
    for (const region of this.regions) {
      const [x, y] = camera.toScreen(region.x, region.y)
      const box = [x - region.width / 2 - GAP, y - region.height / 2 - 2, x + region.width / 2 + GAP, y + region.height / 2 + 2]
      const seen =
        box[0] > 0 && box[2] < camera.width && box[1] > 0 && box[3] < camera.height &&
        !taken.some(
          (other) =>
            (box[0] < other[2] && box[2] > other[0] && box[1] < other[3] && box[3] > other[1]) ||
            (other.label === region.label && Math.hypot(other.x - x, other.y - y) < AGAIN),
        )
      if (seen) taken.push(Object.assign(box, { label: region.label, x, y }))
      region.element.style.transform = `translate(${Math.round(x - region.width / 2)}px, ${Math.round(y - region.height / 2)}px)`
      region.element.classList.toggle("seen", seen)
    }
  }
}
