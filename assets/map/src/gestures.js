// Mouse, touch, pen and keys, as what they mean: look elsewhere, look closer, point at, choose, draw a lasso.

const STILL = 6 // pixels that a click may wander
const LONG_PRESS_MS = 480
const STEP = 70 // pixels that an arrow key moves

/**
 * `on` is told: moved(), point(left, top, kind), away(), choose(left, top, kind), lassoStart(), lassoMove(corners),
 * lassoEnd(corners), key(name). `mode()` is "pan", "lasso" or "rectangle".
 */
export function listen(surface, camera, mode, on) {
  const fingers = new Map()
  const stop = new AbortController()
  const hear = (name, action, options = {}) => surface.addEventListener(name, action, { signal: stop.signal, ...options })
  let start = null // where the first finger came down
  let corners = null
  let pressing = 0
  let wasMany = false

  const at = (event) => {
    const box = surface.getBoundingClientRect()
    return [event.clientX - box.left, event.clientY - box.top]
  }
  const beginLasso = (place) => {
    corners = [place]
    on.lassoStart()
  }
  const extendLasso = (place) => {
    if (mode() === "rectangle" && !start.long) {
      const [x0, y0] = start.place
      corners = [[x0, y0], [place[0], y0], place, [x0, place[1]]]
    } else if (Math.hypot(place[0] - corners[corners.length - 1][0], place[1] - corners[corners.length - 1][1]) > 3) {
      corners.push(place)
    }
    on.lassoMove(corners)
  }

  hear("pointerdown", (event) => {
    if (event.button !== 0) return
    const place = at(event)
    fingers.set(event.pointerId, place)
    surface.setPointerCapture(event.pointerId)
    if (fingers.size === 1) {
      start = { place, kind: event.pointerType, moved: false, long: false }
      wasMany = false
      if (mode() !== "pan" || event.shiftKey) beginLasso(place)
      else if (event.pointerType !== "mouse") {
        pressing = setTimeout(() => {
          if (!start || start.moved || fingers.size !== 1) return
          start.long = true
          navigator.vibrate?.(15)
          beginLasso(start.place)
        }, LONG_PRESS_MS)
      }
    } else {
      clearTimeout(pressing)
      wasMany = true
      if (corners) [corners] = [null, on.lassoEnd([])]
    }
  })

  hear("pointermove", (event) => {
    const place = at(event)
    const before = fingers.get(event.pointerId)
    if (!before) {
      if (event.pointerType === "mouse") on.point(...place, "mouse")
      return
    }
    if (Math.hypot(place[0] - start.place[0], place[1] - start.place[1]) > STILL) start.moved = true
    if (fingers.size === 1) {
      fingers.set(event.pointerId, place)
      if (corners) extendLasso(place)
      else if (start.moved) {
        clearTimeout(pressing)
        camera.pan(place[0] - before[0], place[1] - before[1])
        on.moved()
      }
      return
    }
    const [a, b] = [...fingers.values()]
    fingers.set(event.pointerId, place)
    const [c, d] = [...fingers.values()]
    const apart = (one, other) => Math.hypot(one[0] - other[0], one[1] - other[1])
    const middle = (one, other) => [(one[0] + other[0]) / 2, (one[1] + other[1]) / 2]
    const [from, to] = [middle(a, b), middle(c, d)]
    camera.pan(to[0] - from[0], to[1] - from[1])
    if (apart(a, b) > 1) camera.zoomAt(...to, apart(c, d) / apart(a, b))
    on.moved()
  })

  const up = (event) => {
    if (!fingers.delete(event.pointerId)) return
    clearTimeout(pressing)
    if (fingers.size) return
    if (corners) {
      const drawn = corners
      corners = null
      on.lassoEnd(event.type === "pointercancel" || !start.moved ? [] : drawn)
    }
    if (event.type === "pointerup" && !start.moved && !wasMany && !start.long) on.choose(...start.place, start.kind)
    start = null
  }
  hear("pointerup", up)
  hear("pointercancel", up)
  hear("pointerleave", (event) => event.pointerType === "mouse" && !fingers.size && on.away())
  hear("contextmenu", (event) => start && event.preventDefault()) // a long press draws

  hear("wheel", (event) => {
    event.preventDefault()
    const pixels = event.deltaY * (event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 200 : 1)
    camera.zoomAt(...at(event), Math.exp(-Math.max(-160, Math.min(160, pixels)) * (event.ctrlKey ? 0.01 : 0.0022)))
    on.moved()
  }, { passive: false })

  hear("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const steps = { ArrowLeft: [STEP, 0], ArrowRight: [-STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] }[event.key]
    const factor = { "+": 1.4, "=": 1.4, "-": 1 / 1.4, _: 1 / 1.4 }[event.key]
    if (steps) camera.pan(...steps)
    else if (factor) camera.zoomAt(camera.width / 2, camera.height / 2, factor)
    else if (event.key === "0" || event.key === "Home") camera.fit()
    else if (["Enter", "Escape", " ", "l", "r", "p"].includes(event.key)) {
      event.preventDefault()
      event.stopPropagation()
      return on.key(event.key)
    } else return
    event.preventDefault()
    event.stopPropagation()
    on.moved()
    on.key("look")
  })
  return () => stop.abort()
}
