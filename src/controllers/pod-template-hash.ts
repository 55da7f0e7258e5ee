/**
 * The names templates go by. The short hash is what users see in ReplicaSet and pod names; it is stable across releases
 * of Seamark (canonical JSON), in Kubernetes' alphabet, and not the value kube-controller-manager would compute, which
 * follows Go's struct printing and differs by release. The digest tells two templates with the same short hash apart.
 */
import { createHash } from 'node:crypto'
import type { V1PodTemplateSpec } from '../api/generated/types.ts'
import { canonicalJson } from '../base/json.ts'

const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'

interface Names {
  readonly text: string
  readonly digest: string
}

/** Templates are frozen and shared: each is written out once. */
const known = new WeakMap<V1PodTemplateSpec, Names>()

/** SHA-256 of the canonical JSON, in hex. */
export function templateDigest(template: V1PodTemplateSpec): string {
  return namesOf(template).digest
}

/** At most 10 letters, e.g. "7d4b8f9c6d". `collisionCount` moves a template away from a name that is taken. */
export function podTemplateHash(template: V1PodTemplateSpec, collisionCount: number | undefined): string {
  const { text } = namesOf(template)
  const hash = fnv1a(collisionCount === undefined ? text : `${text}${collisionCount}`)
  return [...String(hash)].map((digit) => ALPHABET[digit.charCodeAt(0) % ALPHABET.length]).join('')
}

function namesOf(template: V1PodTemplateSpec): Names {
  let names = known.get(template)
  if (!names) {
    const text = canonicalJson(template)
    names = { text, digest: createHash('sha256').update(text).digest('hex') }
    known.set(template, names)
  }
  return names
}

/** 32-bit FNV-1a over UTF-16 code units: http://www.isthe.com/chongo/tech/comp/fnv/ */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash >>> 0
}
