// What lies over the points: the drawn lasso, the products that a search found, the one under the pointer.

export function drawMarks(canvas, camera, marks, ink) {
  const ratio = window.devicePixelRatio || 1
  const [width, height] = [Math.round(camera.width * ratio), Math.round(camera.height * ratio)]
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height })
  const context = canvas.getContext("2d")
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.clearRect(0, 0, camera.width, camera.height)
  if (marks.area?.length > 1) {
    context.beginPath()
    marks.area.forEach(([x, y], at) => context[at ? "lineTo" : "moveTo"](...camera.toScreen(x, y)))
    if (!marks.drawing) context.closePath()
    context.fillStyle = ink.accent
    context.globalAlpha = 0.09
    context.fill()
    context.globalAlpha = 1
    context.lineWidth = 2
    context.lineJoin = "round"
    context.strokeStyle = ink.accent
    context.setLineDash(marks.drawing ? [5, 4] : [])
    context.stroke()
    context.setLineDash([])
  }
  for (const [x, y] of marks.hits) {
    const [left, top] = camera.toScreen(x, y)
    if (left < -10 || top < -10 || left > camera.width + 10 || top > camera.height + 10) continue
    ring(context, left, top, 5, ink.accent, ink.paper, true)
  }
  if (marks.pointed) {
    const [left, top] = camera.toScreen(...marks.pointed)
    ring(context, left, top, 8, ink.text, ink.paper, false)
  }
  if (marks.crosshair) {
    context.strokeStyle = ink.text
    context.lineWidth = 1.5
    context.globalAlpha = 0.7
    context.beginPath()
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      context.moveTo(camera.width / 2 + 5 * dx, camera.height / 2 + 5 * dy)
      context.lineTo(camera.width / 2 + 14 * dx, camera.height / 2 + 14 * dy)
    }
    context.stroke()
    context.globalAlpha = 1
  }
}

function ring(context, x, y, radius, colour, paper, filled) {
  context.beginPath()
  context.arc(x, y, radius, 0, 2 * Math.PI)
  if (filled) {
    context.fillStyle = colour
    context.fill()
    context.lineWidth = 1.5
    context.strokeStyle = paper
    context.stroke()
    return
  }
  context.lineWidth = 4.5
  context.strokeStyle = paper
  context.stroke()
  context.lineWidth = 2
  context.strokeStyle = colour
  context.stroke()
}
