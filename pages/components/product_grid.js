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
  const tiles = (data?.tiles ?? []).map((tile) => {
    const link = element("a")
    link.href = tile.href
    link.setAttribute("role", "listitem")
    link.setAttribute("aria-label", `${tile.name}, ${tile.category}`)
    link.onclick = (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return // a new tab opens the link
      event.preventDefault()
      setTriggerValue("picked", tile.row)
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
    const caption = element("figcaption")
    caption.append(element("div", "category", tile.category), element("div", "name", tile.name), element("div", "facts", tile.facts))
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
