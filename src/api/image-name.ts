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
