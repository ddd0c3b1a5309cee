// What the server sends as plain bytes: positions, colours, which products are meant. The browser keeps them.

/** Fetch bytes; `progress(share)` is told how far it is. */
async function bytes(url, progress = () => {}, signal = undefined) {
  const answer = await fetch(url, { signal })
  if (!answer.ok) throw new Error((await answer.text()).slice(0, 300) || `The server answered ${answer.status}.`)
  const total = Number(answer.headers.get("x-bytes")) || 0 // content-length is of what was compressed on the way
  if (!answer.body || total < 500_000) return new Uint8Array(await answer.arrayBuffer())
  const chunks = []
  const reader = answer.body.getReader()
  let size = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    chunks.push(value)
    size += value.length
    progress(Math.min(1, size / total))
  }
  const all = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
  }
  return all
}

const ABSENT = 65535

/** Positions: two unsigned 16-bit numbers a row, 0..65534 for -1..1; 65535 for a product that is not on the map. */
export async function positions(url, progress, signal) {
  const raw = await bytes(url, progress, signal)
  const pairs = new Uint16Array(raw.buffer, 0, raw.length >> 1)
  const n = pairs.length >> 1
  const xs = new Float32Array(n)
  const ys = new Float32Array(n)
  for (let i = 0; i < n; i++) {
    const x = pairs[2 * i]
    xs[i] = x === ABSENT ? NaN : x / 32767 - 1
    ys[i] = x === ABSENT ? NaN : pairs[2 * i + 1] / 32767 - 1
  }
  return { xs, ys }
}

/** A byte a row: the place of its colour in the legend. */
export async function codes(url, signal) {
  return bytes(url, undefined, signal)
}

/** A bit a row, the lowest first, as bytes of 0 and 1. */
export async function mask(url, n, signal) {
  const raw = await bytes(url, undefined, signal)
  const found = new Uint8Array(n)
  for (let i = 0; i < n; i++) found[i] = (raw[i >> 3] >> (i & 7)) & 1
  return found
}

/** The box that holds all points: left, bottom, right, top. */
export function bounds(xs, ys) {
  const box = [Infinity, Infinity, -Infinity, -Infinity]
  for (let i = 0; i < xs.length; i++) {
    if (Number.isNaN(xs[i])) continue
    if (xs[i] < box[0]) box[0] = xs[i]
    if (ys[i] < box[1]) box[1] = ys[i]
    if (xs[i] > box[2]) box[2] = xs[i]
    if (ys[i] > box[3]) box[3] = ys[i]
  }
  return Number.isFinite(box[0]) ? box : [-1, -1, 1, 1]
}

/** The rows in an order that is as if by chance and always the same: no colour lies on top only because it came last. */
export function shuffled(xs) {
  const order = new Uint32Array(xs.length)
  let n = 0
  for (let i = 0; i < xs.length; i++) if (!Number.isNaN(xs[i])) order[n++] = i
  let state = 2463534242
  for (let i = n - 1; i > 0; i--) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    const j = (state >>> 0) % (i + 1)
    const kept = order[i]
    order[i] = order[j]
    order[j] = kept
  }
  return order.subarray(0, n)
}
