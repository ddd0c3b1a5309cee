// What visitors found, the newest first: the answer and products like it. A photo only where visitor and presenter agreed.
import { $, ask, element, post, showCode, stayAwake } from "./common.js"

const ASK_MS = 2000
const cards = new Map() // by the entry's number and whether its photo is shown
let drawn, hidden = false

function card(entry) {
  const [best, ...others] = entry.classes
  const made = element("article", "card")
  if (entry.photo) {
    const image = element("img", "photo")
    image.src = `/wall/photo/${entry.number}`
    image.alt = "A visitor's photo"
    made.append(image)
  }
  const title = best ? element("h2", "", best[0], element("span", "", `${Math.round(best[1] * 100)}%`)) : element("h2", "", "Something like these")
  made.append(title)
  if (others.length) made.append(element("p", "quiet", others.map(([name, share]) => `${name} ${Math.round(share * 100)}%`).join(" · ")))
  made.append(element("div", "like", ...entry.like.slice(0, 4).map((product) => {
    const image = element("img")
    image.src = product.picture
    image.alt = product.name
    image.loading = "lazy"
    return image
  })))
  return made
}

async function look() {
  try {
    const told = await ask("/wall/now")
    if (drawn !== `${told.boot} ${told.version}`) {
      drawn = `${told.boot} ${told.version}`
      hidden = told.hidden
      const keys = told.entries.map((entry) => `${told.boot} ${entry.number} ${entry.photo}`)
      for (const key of cards.keys()) if (!keys.includes(key)) cards.delete(key)
      told.entries.forEach((entry, place) => cards.has(keys[place]) || cards.set(keys[place], card(entry)))
      $("wall").replaceChildren(...keys.map((key) => cards.get(key)))
      $("curtain").hidden = !hidden
    }
    $("said").textContent = told.entries.length || hidden ? "" : "What is in your pocket? Take a photo and see what is like it."
    showCode($("code"), await ask("/stage-now"), "Your turn")
    document.body.classList.toggle("empty", !told.entries.length)
  } catch { /* the server is away: what is on the wall stays */ }
  setTimeout(look, ASK_MS)
}

async function act(deed) {
  try {
    await post("/wall/do", { do: deed })
  } catch { /* only the presenter may: what is there is drawn again; a curtain stays on this screen */ }
  if (deed !== "hide" && deed !== "show") drawn = ""
}

document.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return
  if (event.key === "h") {
    hidden = !hidden
    $("curtain").hidden = !hidden // at once: the server follows
    act(hidden ? "hide" : "show")
  } else if (event.key === "c") {
    $("wall").replaceChildren()
    act("clear")
  } else if (event.key === "f") document.documentElement.requestFullscreen?.().catch(() => {})
})

stayAwake()
look()
