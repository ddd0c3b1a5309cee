// The points themselves, drawn by regl-scatterplot. It only paints here: the view, what is under the pointer and what
// a lasso holds are found by geometry.js, so that nothing waits for an index of its own, and touch works as the mouse.
import createScatterplot, { createRenderer, createSpatialIndex } from "regl-scatterplot"

const MANY = 1_500_000 // points are a pixel or two by then: squares without blending look the same, and are quick

/** Can this browser draw with WebGL as regl-scatterplot needs it? */
export function supported() {
  const canvas = document.createElement("canvas")
  const gl = canvas.getContext("webgl")
  const can = Boolean(gl?.getExtension("OES_texture_float") && gl.getExtension("OES_element_index_uint"))
  gl?.getExtension("WEBGL_lose_context")?.loseContext()
  return can
}

export class Points {
  constructor(canvas, n) {
    this.canvas = canvas
    const drawing = document.createElement("canvas")
    drawing.getContext("webgl", { antialias: false, preserveDrawingBuffer: true }) // the shader smooths the dots' edges
    this.renderer = createRenderer({ canvas: drawing })
    const aside = document.createElement("div")
    this.plot = createScatterplot({
      canvas,
      renderer: this.renderer,
      width: Math.max(1, canvas.clientWidth),
      height: Math.max(1, canvas.clientHeight),
      cameraIsFixed: true,
      actionKeyMap: {},
      deselectOnDblClick: false,
      deselectOnEscape: false,
      lassoInitiator: false,
      lassoInitiatorParentElement: aside,
      lassoLongPressIndicatorParentElement: aside,
      colorBy: "valueA",
      opacityBy: "valueB",
      sizeBy: "valueB",
      renderPointsAsSquares: n > MANY,
      disableAlphaBlending: n > MANY,
      backgroundColor: [0, 0, 0, 0],
    })
    // Its own index, which we do not ask, holds one point far away.
    this.index = createSpatialIndex([[1e9, 1e9]], false)
    this.pool = []
    this.waiting = null
    this.drawing = drawing
  }

  /** Call `then` if the graphics give up. */
  onLost(then) {
    this.drawing.addEventListener("webglcontextlost", () => this.gone || then(), { once: true })
  }

  resize(width, height) {
    this.renderer.resize(width, height)
    this.renderer.refresh()
    this.plot.set({ width, height })
  }

  /** Colours as "#rrggbb", the last for points that are not meant; dot in pixels, opacity in [0, 1]. */
  look(colours, dot, opacity) {
    this.plot.set({
      pointColor: colours,
      pointColorActive: colours,
      pointColorHover: colours,
      pointSize: [dot, Math.max(0.6, dot * 0.75)],
      opacity: [opacity, Math.min(0.16, opacity * 0.25)],
    })
  }

  view(camera) {
    this.plot.view(camera.matrix())
  }

  /**
   * Draw rows in an order, those that are not meant below the others. Only the last of several wishes is done.
   *
   * @returns a promise that ends when they are on the screen
   */
  async draw(order, xs, ys, codes, meant, unmeantCode) {
    this.wish = { order, xs, ys, codes, meant, unmeantCode }
    this.waiting ??= this.drawAll().finally(() => (this.waiting = null))
    return this.waiting
  }

  async drawAll() {
    const spatialIndex = await this.index
    while (this.wish && !this.gone) {
      const { order, xs, ys, codes, meant, unmeantCode } = this.wish
      this.wish = null
      const points = this.pool
      while (points.length < order.length) points.push([0.1, 0.1, 0.1, 0.1]) // numbers with a fraction: the engine keeps them flat
      points.length = order.length
      let low = 0
      let high = order.length
      for (let k = order.length - 1; k >= 0; k--) {
        const row = order[k]
        const isMeant = !meant || meant[row] === 1
        const point = points[isMeant ? --high : low++]
        point[0] = xs[row]
        point[1] = ys[row]
        point[2] = isMeant ? codes[row] : unmeantCode
        point[3] = isMeant ? 0 : 1
      }
      const same = this.drawn === points.length
      this.drawn = points.length
      await this.plot.draw(points, {
        spatialIndex,
        zDataType: "categorical",
        wDataType: "categorical",
        preventFilterReset: same, // the numbers of the points stay: the buffer of their numbers is kept
      })
      if (points.length > MANY) points.length = 0 // they are on the graphics card; 80 bytes each would stay here
    }
  }

  destroy() {
    this.gone = true
    this.plot.destroy()
    this.renderer.destroy()
    this.drawing.getContext("webgl")?.getExtension("WEBGL_lose_context")?.loseContext() // browsers have few to give
    this.pool = []
  }
}
