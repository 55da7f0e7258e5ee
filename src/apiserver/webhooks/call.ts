import { request as httpsRequest } from 'node:https'
import type {
  AdmissionregistrationV1ServiceReference,
  AdmissionregistrationV1WebhookClientConfig,
} from '../../api/generated/types.ts'
import { endpointSlice } from '../../api/kinds/endpoint-slice.ts'
import { service as serviceKind } from '../../api/kinds/service.ts'
import type { Env } from '../../base/env.ts'
import type { Reader } from '../admission/admission.ts'

/** More than this is no answer to a review. */
const ANSWER_BYTES_MAX = 8 * 1024 * 1024

/** Where to connect, when that is another place than the URL names. */
interface Dial {
  readonly host: string
  readonly port: number
}

/** Posts a review over HTTPS and reads the answer as JSON. Throws an Error worded as Kubernetes' client does. */
export async function callWebhook(
  env: Env,
  reader: Reader,
  config: AdmissionregistrationV1WebhookClientConfig,
  review: object,
  timeoutSeconds: number,
): Promise<unknown> {
  const url = urlOf(config)
  url.searchParams.set('timeout', `${timeoutSeconds}s`)
  const body = Buffer.from(JSON.stringify(review))
  const ca = config.caBundle ? Buffer.from(config.caBundle, 'base64').toString('utf8') : undefined
  try {
    const dial = config.service ? await dialOf(reader, config.service) : undefined
    return await post(env, url, dial, body, ca, timeoutSeconds * 1000)
  } catch (error) {
    throw new Error(`failed to call webhook: Post ${JSON.stringify(url.href)}: ${(error as Error).message}`)
  }
}

function post(
  env: Env,
  url: URL,
  dial: Dial | undefined,
  body: Buffer,
  ca: string | undefined,
  timeoutMs: number,
): Promise<unknown> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return new Promise((resolve, reject) => {
    const request = httpsRequest({
      host: dial?.host ?? host,
      port: dial?.port ?? Number(url.port || 443),
      path: `${url.pathname}${url.search}`,
      method: 'POST',
      // Certificates are for the name of the service; addresses have none.
      servername: /^[\d.]+$|:/.test(host) ? '' : host,
      agent: false,
      ...(ca ? { ca } : {}),
      headers: {
        host: url.host,
        'content-type': 'application/json',
        'content-length': String(body.length),
        accept: 'application/json',
        'user-agent': 'kube-apiserver-admission',
      },
    })
    const cancel = env.clock.after(timeoutMs, () => request.destroy(new Error('context deadline exceeded')))
    const fail = (error: Error) => {
      cancel()
      reject(error)
    }
    request.on('error', fail)
    request.on('response', (response) => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > ANSWER_BYTES_MAX)
          request.destroy(new Error(`the answer is larger than ${ANSWER_BYTES_MAX} bytes`))
        else chunks.push(chunk)
      })
      response.on('error', fail)
      response.on('end', () => {
        cancel()
        const text = Buffer.concat(chunks).toString('utf8')
        if (response.statusCode !== 200)
          return reject(
            new Error(
              `an error on the server (${JSON.stringify(text.slice(0, 200))}) has prevented the request from succeeding: HTTP ${response.statusCode}`,
            ),
          )
        try {
          resolve(JSON.parse(text) as unknown)
        } catch {
          reject(new Error('the answer is not JSON'))
        }
      })
    })
    request.end(body)
  })
}

function urlOf({ url, service }: AdmissionregistrationV1WebhookClientConfig): URL {
  if (!service) return new URL(url ?? '')
  const { name, namespace, port = 443, path = '' } = service
  return new URL(`https://${name}.${namespace}.svc:${port}${path}`)
}

/** Where the service leads: another name, or an address that is ready. */
async function dialOf(
  reader: Reader,
  { name, namespace, port = 443 }: AdmissionregistrationV1ServiceReference,
): Promise<Dial> {
  const found = await reader.find(serviceKind, { namespace, name })
  if (!found) throw new Error(`service ${JSON.stringify(name)} not found`)
  if (found.spec.type === 'ExternalName' && found.spec.externalName)
    return { host: found.spec.externalName, port }
  const servicePort = found.spec.ports?.find((each) => each.port === port)
  if (!servicePort) throw new Error(`no service port ${port} found for service ${JSON.stringify(name)}`)
  for (const slice of await reader.all(endpointSlice, namespace)) {
    if (slice.metadata.labels?.['kubernetes.io/service-name'] !== name) continue
    const target = slice.ports?.find((each) => (each.name ?? '') === (servicePort.name ?? ''))
    const address = slice.endpoints?.find(({ conditions }) => conditions?.ready !== false)?.addresses[0]
    if (target?.port && address) return { host: address, port: target.port }
  }
  throw new Error(`no endpoints available for service ${JSON.stringify(name)}`)
}
