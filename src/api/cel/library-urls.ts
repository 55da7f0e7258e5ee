import type { Environment } from '@marcbachmann/cel-js'

class Url {
  readonly #url: URL
  readonly #hasHost: boolean

  constructor(text: string) {
    // As Go's ParseRequestURI: absolute, or a path from the root.
    const isPath = text.startsWith('/') && !text.startsWith('//')
    if (!isPath && !/^[A-Za-z][A-Za-z0-9+.-]*:/.test(text))
      throw new Error(
        `URL parse error during conversion from string: parse ${JSON.stringify(text)}: invalid URI for request`,
      )
    this.#url = new URL(text, 'none://none')
    this.#hasHost = !isPath
  }

  get scheme(): string {
    return this.#hasHost ? this.#url.protocol.slice(0, -1) : ''
  }

  get host(): string {
    return this.#hasHost ? this.#url.host : ''
  }

  get hostname(): string {
    return this.#hasHost ? this.#url.hostname.replace(/^\[|\]$/g, '') : ''
  }

  get port(): string {
    return this.#hasHost ? this.#url.port : ''
  }

  get path(): string {
    return this.#url.pathname
  }

  get query(): Map<string, string[]> {
    const query = new Map<string, string[]>()
    for (const [key, value] of this.#url.searchParams) query.set(key, [...(query.get(key) ?? []), value])
    return query
  }
}

/** url and isURL, with what a URL is made of. */
export function registerUrls(environment: Environment): void {
  environment.registerType('URL', { ctor: Url, fields: {} })
  environment.registerFunction('url(string): URL', (text: string) => new Url(text))
  environment.registerFunction('isURL(string): bool', (text: string) => {
    try {
      return new Url(text) !== undefined
    } catch {
      return false
    }
  })
  environment.registerFunction('URL.getScheme(): string', (url: Url) => url.scheme)
  environment.registerFunction('URL.getHost(): string', (url: Url) => url.host)
  environment.registerFunction('URL.getHostname(): string', (url: Url) => url.hostname)
  environment.registerFunction('URL.getPort(): string', (url: Url) => url.port)
  environment.registerFunction('URL.getEscapedPath(): string', (url: Url) => url.path)
  environment.registerFunction('URL.getQuery(): map<string, list<string>>', (url: Url) => url.query)
}
