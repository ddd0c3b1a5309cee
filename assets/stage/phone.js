// A visitor's phone: a photo or a word goes to the server, which answers one visitor after another.
import { $, ask, element } from "./common.js"

const SIDE_PX = 1024 // of the photo that is sent
const EVERY_MS = 900
const RETRY_MS = [1000, 2000, 4000, 8000]
let says = {}, language = "en", job = null, turn = 0, boot = null

const pause = (ms) => new Promise((done) => setTimeout(done, ms))
const say = (key, values = {}) => Object.entries(values).reduce((text, [name, value]) => text.replace(`{${name}}`, value), says[key] ?? "")

async function speak() {
  const words = await (await fetch("/phone/words")).json()
  const wanted = [new URLSearchParams(location.search).get("lang"), ...(navigator.languages ?? [navigator.language])].filter(Boolean).map((each) => each.slice(0, 2).toLowerCase())
  language = wanted.find((each) => words[each]) ?? "en"
  says = { ...words.en, ...words[language] }
  document.documentElement.lang = language
  document.querySelectorAll("[data-say]").forEach((each) => { each.textContent = says[each.dataset.say] })
}

function only(id) {
  for (const each of ["ask", "wait", "found"]) $(each).hidden = each !== id
  $("wrong").hidden = true
  scrollTo(0, 0)
}

function wrong(text) {
  only("ask")
  $("wrong").textContent = text
  $("wrong").hidden = false
}

// The photo small and upright, as the browser reads it; the file itself where the browser cannot, as Android with HEIC.
async function shrunk(file) {
  try {
    const image = await createImageBitmap(file)
    const scale = Math.min(1, SIDE_PX / Math.max(image.width, image.height))
    const canvas = element("canvas")
    canvas.width = Math.max(1, Math.round(image.width * scale))
    canvas.height = Math.max(1, Math.round(image.height * scale))
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height)
    image.close()
    return (await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.88))) ?? file
  } catch {
    return file
  }
}

function preview(blob) {
  for (const id of ["mine", "shown"]) {
    if ($(id).src) URL.revokeObjectURL($(id).src)
    $(id).hidden = !blob
    $(id).onerror = () => { $(id).hidden = true } // a photo that only the server can read
    if (blob) $(id).src = URL.createObjectURL(blob)
    else $(id).removeAttribute("src")
  }
}

// Sent again after a lost connection; the server knows the same photo again.
async function send(mine) {
  for (let tries = 0; mine === turn; tries++) {
    try {
      const told = await ask(`/phone/ask?${new URLSearchParams({ word: job.word, lang: language })}`, { method: "POST", body: job.photo })
      if (told.state === "full") {
        for (let left = Math.ceil(told.seconds); left > 0 && mine === turn; left--) {
          $("status").textContent = say("full", { s: left })
          await pause(1000)
        }
        continue
      }
      return told
    } catch (error) {
      if (error.status === 413) return { state: "failed", error: "large" }
      if (error.status) return { state: "failed", error: error.message }
      $("status").textContent = say("lost")
      await pause(RETRY_MS[Math.min(tries, RETRY_MS.length - 1)])
    }
  }
  return null
}

async function go(photo, word) {
  const mine = ++turn
  only("wait")
  $("status").textContent = say("working")
  preview(photo)
  job = { photo: photo ? await shrunk(photo) : null, word }
  let told = await send(mine)
  while (told && mine === turn) {
    boot ??= told.boot
    if (told.state === "done") return found(told)
    if (told.state === "failed") return wrong(told.error === "large" ? say("large") : told.error.startsWith("photo:") ? say("bad") : told.error)
    if (told.state === "none") { // it was dropped while the phone slept, or the server was started anew
      told = await send(mine)
      continue
    }
    $("status").textContent = told.state === "waiting" ? say("waiting", { n: told.place + 1, s: Math.ceil(told.seconds) }) : say("working")
    await pause(EVERY_MS)
    try {
      told = await ask(`/phone/now?lang=${language}`)
    } catch (error) {
      if (error.status) return wrong(error.message)
      $("status").textContent = say("lost")
    }
  }
}

function found(told) {
  only("found")
  const { classes, like, nothing } = told.answer
  $("what").hidden = !classes.length && !job.photo
  $("classes").replaceChildren(...classes.map(([name, share], place) => {
    const bar = element("i")
    bar.style.width = `${Math.round(share * 100)}%`
    return element("div", place ? "class" : "class first", element("span", "", name), element("span", "", `${Math.round(share * 100)}%`), bar)
  }))
  $("nothing").hidden = !nothing
  $("like").replaceChildren(...like.map((product) => {
    const image = element("img")
    image.src = product.picture
    image.alt = ""
    return element("li", "", image, element("p", "", product.name))
  }))
  offer(told.offers, false)
}

function offer(possible, given) {
  $("offer").hidden = !possible
  $("agree").textContent = say(given ? "back" : "wall")
  $("offer").querySelector("p").textContent = say(given ? "offered" : "note")
  $("agree").onclick = async () => {
    $("agree").disabled = true
    try {
      const told = await ask(`/phone/show?yes=${given ? 0 : 1}`, { method: "POST" })
      offer(true, told.offered)
    } catch {
      $("offer").querySelector("p").textContent = say("lost")
    }
    $("agree").disabled = false
  }
}

$("photo").onchange = () => {
  const file = $("photo").files[0]
  $("photo").value = ""
  if (file) go(file, "")
}
$("form").onsubmit = (event) => {
  event.preventDefault()
  const word = $("word").value.trim()
  $("word").blur()
  if (word) go(null, word)
}
$("again").onclick = () => {
  turn++
  preview(null)
  $("word").value = ""
  only("ask")
}
addEventListener("pagehide", () => navigator.sendBeacon("/phone/leave"))
addEventListener("pageshow", (event) => event.persisted && job && !$("wait").hidden && location.reload())

speak()
