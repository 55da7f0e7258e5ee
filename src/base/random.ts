/**
 * Every draw of chance: names, UIDs, ties, jitter. Seeded in simulation, so that a run replays; seeded from the
 * system's entropy in the daemon. Keys and tokens never come from here: they use node:crypto.
 */
export interface Random {
  /** In [0, 1). */
  float(): number
  /** A whole number in [0, below). */
  int(below: number): number
  uuid(): string
  /** Letters of Kubernetes' generated names, which can spell no word: "x2bq9". */
  suffix(length: number): string
}

const SUFFIX_LETTERS = 'bcdfghjklmnpqrstvwxz2456789'

export function seededRandom(seed: number): Random {
  const float = mulberry32(seed)
  const int = (below: number) => Math.floor(float() * below)
  return {
    float,
    int,
    uuid() {
      const hex = Array.from({ length: 32 }, () => int(16).toString(16))
      hex[12] = '4'
      hex[16] = (8 + int(4)).toString(16)
      const text = hex.join('')
      return `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}`
    },
    suffix: (length) => Array.from({ length }, () => SUFFIX_LETTERS[int(SUFFIX_LETTERS.length)]).join(''),
  }
}

/** Seeded from the system, for the daemon. */
export function systemRandom(): Random {
  const seeds = crypto.getRandomValues(new Uint32Array(1))
  return { ...seededRandom(seeds[0] ?? 0), uuid: () => crypto.randomUUID() }
}

/** A small 32-bit generator with a full period: https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
function mulberry32(seed: number): () => number {
  let a = seed >>> 0
  return () => {
    a = (a + 0x6d2b79f5) >>> 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
