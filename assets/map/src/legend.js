// The legend: colours with their number of products. A click filters by an entry, another click removes the filter.
import { element, number } from "./dom.js"

/**
 * colour: {title, kind, entries: [{label, colour, dark, count, on, can}], steps, low, high, note}
 * found: how many products a search highlights, or 0; seeFound() zooms to them.
 */
export function fillLegend(panel, colour, dark, toggle, found, seeFound) {
  const focused = [...panel.querySelectorAll(".entries .entry")].indexOf(panel.getRootNode().activeElement)
  const lit = found
    ? element(
        "button",
        { type: "button", class: "entry found", title: "Zoom to these", onclick: seeFound },
        element("i"),
        element("span", { class: "what" }, "Search results"),
        element("span", { class: "count" }, number(found)),
      )
    : null
  const heading = element("h3", {}, colour.title)
  if (colour.kind === "number") {
    const stops = colour.steps[dark ? "dark" : "light"].join(", ")
    const bar = element("div", { class: "ramp", role: "img", "aria-label": `From ${colour.low} to ${colour.high}` })
    bar.style.background = `linear-gradient(90deg, ${stops})`
    panel.replaceChildren(...[lit].filter(Boolean), heading, bar, element("div", { class: "ends" }, element("span", {}, colour.low), element("span", {}, colour.high)), note(colour))
    return
  }
  const chosen = colour.entries.some((entry) => entry.on)
  const list = element(
    "div",
    { class: "entries", role: "group", "aria-label": `Colours: ${colour.title}` },
    ...colour.entries.map((entry, at) => {
      const swatch = element("i")
      swatch.style.background = dark ? entry.dark : entry.colour
      const row = element(
        entry.can ? "button" : "div",
        entry.can
          ? { type: "button", class: "entry", "aria-pressed": String(entry.on), title: entry.on ? "Show all" : "Show only these", onclick: () => toggle(at) }
          : { class: "entry" },
        swatch,
        element("span", { class: "what", dir: "auto" }, entry.label),
        element("span", { class: "count" }, number(entry.count)),
      )
      row.classList.toggle("off", chosen && !entry.on)
      return row
    }),
  )
  panel.replaceChildren(...[lit].filter(Boolean), heading, list, note(colour))
  if (focused >= 0) list.children[focused]?.focus({ preventScroll: true })
}

function note(colour) {
  return colour.note ? element("p", { class: "note" }, colour.note) : element("span")
}
