// Tiles are built with textContent and properties alone: no word of a dataset is ever read as HTML.
export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  const grid = parentElement.querySelector(".grid")
  const element = (name, className, text) => {
    const made = document.createElement(name)
    if (className) made.className = className
    if (text !== undefined) made.textContent = text
    return made
  }
  // The same products stay as they are: no picture flickers, and the tile that opened a dialog can be returned to.
  grid.pick = (row) => setTriggerValue("picked", row)
  const drawn = JSON.stringify(data?.tiles ?? [])
  if (grid.drawn === drawn) return
  grid.drawn = drawn
  const tiles = (data?.tiles ?? []).map((tile) => {
    const link = element("a")
    link.href = tile.href
    link.setAttribute("role", "listitem")
    link.setAttribute("aria-label", `${tile.name}, ${tile.category}`)
    link.onclick = (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return // a new tab opens the link
      event.preventDefault()
      grid.pick(tile.row)
      returnTo(link)
    }
    const figure = element("figure")
    const frame = element("div", "frame")
    if (tile.src) {
      const image = element("img")
      image.loading = "lazy"
      image.decoding = "async"
      image.alt = ""
      image.src = tile.src
      image.onerror = () => frame.replaceChildren(element("span", "none", "Picture missing or broken"))
      frame.append(image)
    } else {
      frame.append(element("span", "none", "No picture"))
    }
    const facts = element("div", "facts", tile.facts)
    if (tile.hint) facts.title = tile.hint
    const caption = element("figcaption")
    caption.append(element("div", "category", tile.category), element("div", "name", tile.name), facts)
    figure.append(frame, caption)
    link.append(figure)
    return link
  })
  grid.replaceChildren(...tiles)
  // Another page of products begins at its top: the visitor clicked below the last one.
  const first = String(data?.tiles?.[0]?.row)
  if (grid.dataset.first && grid.dataset.first !== first && grid.getBoundingClientRect().top < 0) {
    grid.scrollIntoView({ block: "start" })
  }
  grid.dataset.first = first
}

// Once the dialog that a tile opens is there and gone again, the keyboard goes on from that tile.
let watch
function returnTo(tile) {
  let opened = false
  watch?.disconnect()
  watch = new MutationObserver(() => {
    const open = document.querySelector('[role="dialog"]') !== null
    if (opened && !open) {
      watch.disconnect()
      if (tile.isConnected && (document.activeElement === document.body || !document.activeElement)) tile.focus()
    }
    opened = open
  })
  watch.observe(document.body, { childList: true, subtree: true })
}
