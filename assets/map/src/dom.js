// Elements with text, never with markup: no word of a dataset is ever read as HTML.

export function element(name, properties = {}, ...children) {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(properties)) {
    if (key === "class") made.className = value
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value)
    else if (key in made && typeof value !== "string") made[key] = value
    else if (value !== null && value !== undefined) made.setAttribute(key, value)
  }
  made.append(...children.filter((child) => child !== null && child !== undefined))
  return made
}

const SHAPES = {
  pan: "M9 11V5.5a1.5 1.5 0 0 1 3 0V10m0-5.5v-1a1.5 1.5 0 0 1 3 0V10m0-5a1.5 1.5 0 0 1 3 0v6m0-3a1.5 1.5 0 0 1 3 0v6c0 4-2.5 7-6.5 7-3 0-4.5-1.2-6-3.500L5 14.500c-1-1.7 1-3 2.3-1.700L9 14.5",
  lasso: "M12 4c5 0 9 2.5 9 6s-4 6-9 6c-1.5 0-3-.2-4.3-.7M7.7 15.300C5 14.3 3 12.3 3 10c0-3.5 4-6 9-6M7.7 15.300a2 2 0 1 0-3 1.500c1 .6 2.3.3 2.8-.6.2-.4.3-.6.2-.9zM6 17c.5 2 0 3-1.5 4",
  rectangle: "M4 6.500A2.5 2.5 0 0 1 6.5 4M10 4h4M17.5 4A2.5 2.5 0 0 1 20 6.500M20 10v4M20 17.500a2.5 2.5 0 0 1-2.5 2.500M14 20h-4M6.5 20A2.5 2.5 0 0 1 4 17.500M4 14v-4",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  fit: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5M12 12h.01",
  look: "M4 8h9M17 8h3M15 6v4M4 16h3M11 16h9M9 14v4",
  full: "M14 4h6v6M10 20H4v-6M20 4l-7 7M4 20l7-7",
  close: "M6 6l12 12M18 6L6 18",
}

export function icon(name) {
  const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg")
  drawing.setAttribute("viewBox", "0 0 24 24")
  drawing.setAttribute("aria-hidden", "true")
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path")
  path.setAttribute("d", SHAPES[name])
  drawing.append(path)
  return drawing
}

export function button(name, title, action) {
  return element("button", { type: "button", title, "aria-label": title, onclick: action }, icon(name))
}

export const number = (value) => Number(value).toLocaleString("en-US")

/** Ends when what was changed so far is on the screen. */
export const nextFrame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))
