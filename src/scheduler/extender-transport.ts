/** How an extender is reached: one POST of JSON over HTTP, or over TLS as its configuration says. */
import { readFileSync } from 'node:fs'
import { request as plainRequest } from 'node:http'
import { request as secureRequest } from 'node:https'

/** ExtenderTLSConfig; data is base64, files are read at the first call. */
export interface ExtenderTls {
  readonly insecure?: boolean
  readonly serverName?: string
  readonly certFile?: string
  readonly keyFile?: string
  readonly caFile?: string
  readonly certData?: string
  readonly keyData?: string
  readonly caData?: string
}

interface TlsOptions {
  readonly rejectUnauthorized?: boolean
  readonly servername?: string
  readonly cert?: Buffer
  readonly key?: Buffer
  readonly ca?: Buffer
}

/** Of an extender with enableHTTPS and no authority of its own nothing is verified, as upstream. */
export function tlsOptions({
  enableHTTPS = false,
  tlsConfig = {},
}: {
  readonly enableHTTPS?: boolean
  readonly tlsConfig?: ExtenderTls
}): TlsOptions {
  const read = (data: string | undefined, file: string | undefined) =>
    data ? Buffer.from(data, 'base64') : file ? readFileSync(file) : undefined
  const cert = read(tlsConfig.certData, tlsConfig.certFile)
  const key = read(tlsConfig.keyData, tlsConfig.keyFile)
  const ca = read(tlsConfig.caData, tlsConfig.caFile)
  const isInsecure = tlsConfig.insecure || (enableHTTPS && !ca)
  return {
    ...(isInsecure ? { rejectUnauthorized: false } : {}),
    ...(tlsConfig.serverName ? { servername: tlsConfig.serverName } : {}),
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
    ...(ca ? { ca } : {}),
  }
}

/** The answer's status and text. Throws when there is none. */
export function post(
  url: string,
  body: string,
  tls: TlsOptions,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly text: string }> {
  const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }
  const options = { method: 'POST', headers, signal }
  return new Promise((resolve, reject) => {
    const call = url.startsWith('https:')
      ? secureRequest(url, { ...options, ...tls })
      : plainRequest(url, options)
    call.on('error', reject)
    call.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
      )
    })
    call.end(body)
  })
}
