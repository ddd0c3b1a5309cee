// Where the products are many: a histogram in two dimensions of what is on the screen, as a soft relief.

const CELL = 4 // pixels

export function drawDensity(canvas, camera, order, xs, ys, meant, ramp) {
  const columns = Math.max(1, Math.ceil(camera.width / CELL))
  const rows = Math.max(1, Math.ceil(camera.height / CELL))
  const counts = new Float32Array(columns * rows)
  const scale = camera.scale / CELL
  const left = camera.width / 2 / CELL - camera.x * scale
  const top = camera.height / 2 / CELL + camera.y * scale
  for (let k = 0; k < order.length; k++) {
    const i = order[k]
    if (meant && !meant[i]) continue
    const column = Math.floor(left + xs[i] * scale)
    const row = Math.floor(top - ys[i] * scale)
    if (column >= 0 && column < columns && row >= 0 && row < rows) counts[row * columns + column]++
  }
  const smooth = blurred(blurred(counts, columns, rows), columns, rows)
  let most = 0
  for (const count of smooth) if (count > most) most = count
  const small = document.createElement("canvas")
  small.width = columns
  small.height = rows
  const context = small.getContext("2d")
  const image = context.createImageData(columns, rows)
  const highest = Math.log1p(most * 4)
  for (let c = 0; c < smooth.length; c++) {
    const level = highest ? Math.log1p(smooth[c] * 4) / highest : 0
    const place = Math.min(ramp.length - 1.001, level * (ramp.length - 1))
    const from = ramp[Math.floor(place)]
    const to = ramp[Math.floor(place) + 1]
    const part = place - Math.floor(place)
    for (let channel = 0; channel < 3; channel++) image.data[4 * c + channel] = from[channel] + (to[channel] - from[channel]) * part
    image.data[4 * c + 3] = 255 * Math.min(1, level * 6)
  }
  context.putImageData(image, 0, 0)
  const ratio = window.devicePixelRatio || 1
  canvas.width = Math.round(camera.width * ratio)
  canvas.height = Math.round(camera.height * ratio)
  const target = canvas.getContext("2d")
  target.imageSmoothingEnabled = true
  target.imageSmoothingQuality = "high"
  target.drawImage(small, 0, 0, columns * CELL * ratio, rows * CELL * ratio)
  return counts
}

function blurred(values, columns, rows) {
  const across = new Float32Array(values.length)
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) {
      const at = r * columns + c
      across[at] = 0.5 * values[at] + 0.25 * ((c ? values[at - 1] : 0) + (c < columns - 1 ? values[at + 1] : 0))
    }
  const found = new Float32Array(values.length)
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) {
      const at = r * columns + c
      found[at] = 0.5 * across[at] + 0.25 * ((r ? across[at - columns] : 0) + (r < rows - 1 ? across[at + columns] : 0))
    }
  return found
}

/** "#rrggbb" or "rgb(r, g, b)" as three numbers. */
export function rgb(colour) {
  if (colour.startsWith("#")) return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16))
  return (colour.match(/[\d.]+/g) ?? ["128", "128", "128"]).slice(0, 3).map(Number)
}
