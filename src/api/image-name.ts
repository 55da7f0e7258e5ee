/**
 * The parts of an image reference: "registry:5000/team/app:1.2@sha256:…" has the tag "1.2" and a digest. With neither
 * the tag is "latest", as container runtimes have it.
 */
function imageTag(image: string): string {
  const [name = '', digest] = image.split('@')
  const last = name.slice(name.lastIndexOf('/') + 1)
  const at = last.indexOf(':')
  if (at >= 0) return last.slice(at + 1)
  return digest === undefined ? 'latest' : ''
}

/** Always for the tag "latest", said or not; IfNotPresent for any other tag and for a digest. */
export function pullPolicyOf(image: string): 'Always' | 'IfNotPresent' {
  return imageTag(image) === 'latest' ? 'Always' : 'IfNotPresent'
}

const HOST =
  /^(?:\[[0-9a-fA-F:]+\]|[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*)(?::\d+)?$/
const PATH_PART = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/
const TAG = /^\w[\w.-]{0,127}$/
const DIGEST = /^[a-zA-Z][a-zA-Z0-9]*(?:[-_+.][a-zA-Z][a-zA-Z0-9]*)*:[0-9a-fA-F]{32,}$/
const ID = /^[a-f0-9]{64}$/

/** Why no runtime can read the reference (distribution's ParseNormalizedNamed), undefined when it can. */
export function imageNameFault(image: string): string | undefined {
  if (ID.test(image)) return `invalid repository name (${image}), cannot specify 64-byte hexadecimal strings`
  const at = image.indexOf('@')
  const named = at < 0 ? image : image.slice(0, at)
  const slash = named.lastIndexOf('/')
  const colon = named.indexOf(':', slash + 1)
  const name = colon < 0 ? named : named.slice(0, colon)
  const [first = '', ...rest] = name.split('/')
  const hasHost = rest.length > 0 && (/[.:A-Z]/.test(first) || first === 'localhost')
  const path = hasHost ? rest : [first, ...rest]
  const remote = hasHost || rest.length > 0 ? path.join('/') : `library/${first}`
  if (/[A-Z]/.test(remote)) return `invalid reference format: repository name (${remote}) must be lowercase`
  const isFine =
    (!hasHost || HOST.test(first)) &&
    path.every((part) => PATH_PART.test(part)) &&
    (colon < 0 || TAG.test(named.slice(colon + 1))) &&
    (at < 0 || DIGEST.test(image.slice(at + 1)))
  return isFine ? undefined : 'invalid reference format'
}
