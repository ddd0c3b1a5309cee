// Finding a class by a few letters, in any of its languages, with or without diacritics.

export function plain(text) {
  return text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/ı/g, "i").replace(/ł/g, "l").replace(/đ/g, "d").replace(/ø/g, "o").replace(/ß/g, "ss").replace(/ς/g, "σ")
    .trim()
}

// classes: [{value, label, words: [...]}], words being every other name that a class is known by.
export class Classes {
  constructor(classes) {
    this.by = new Map(classes.map((each) => [each.value, each]))
    this.entries = classes.map((each) => {
      const label = plain(each.label)
      const names = [label, ...(each.words ?? []).map(plain)]
      return { value: each.value, label, names, parts: names.flatMap((name) => name.split(/[\s/›>&,()-]+/)) }
    })
  }

  label(value) {
    return this.by.get(value)?.label ?? value
  }

  // Values, best first: the label begins so, another name does, a word of one does, it stands somewhere inside.
  find(typed, most = 6) {
    const wanted = plain(typed)
    if (!wanted) return []
    const rank = (entry) => {
      if (entry.label === wanted) return 0
      if (entry.label.startsWith(wanted)) return 1
      if (entry.names.some((name) => name.startsWith(wanted))) return 2
      if (entry.parts.some((part) => part.startsWith(wanted))) return 3
      if (entry.names.some((name) => name.includes(wanted))) return 4
      return wanted.split(/\s+/).every((word) => entry.parts.some((part) => part.startsWith(word))) ? 3 : 9
    }
    return this.entries
      .map((entry) => ({ entry, rank: rank(entry) }))
      .filter(({ rank }) => rank < 9)
      .sort((one, other) => one.rank - other.rank || one.entry.label.length - other.entry.label.length)
      .slice(0, most)
      .map(({ entry }) => entry.value)
  }
}
