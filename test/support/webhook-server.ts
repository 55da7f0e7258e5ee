import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { memoryPki } from '../../src/apiserver/auth/pki.ts'

export interface Review {
  readonly uid: string
  readonly operation: string
  readonly object: { readonly metadata: { readonly name: string } } | null
  readonly [field: string]: unknown
}

export interface WebhookServer {
  /** https://127.0.0.1:PORT */
  readonly url: string
  readonly port: number
  /** PEM in base64, as a webhook configuration holds it. */
  readonly caBundle: string
  readonly seen: readonly { readonly path: string; readonly review: Review }[]
  close(): Promise<void>
}

/** A real admission webhook over HTTPS. `answer` makes the response of a review; undefined: it never answers. */
export async function startWebhookServer(
  answer: (review: Review, path: string) => object | undefined,
): Promise<WebhookServer> {
  const pki = await memoryPki({ host: '127.0.0.1', now: Date.now() })
  const seen: { path: string; review: Review }[] = []
  const server = createServer(
    { cert: pki.server.certificatePem, key: pki.server.keyPem },
    (request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const { request: review } = JSON.parse(Buffer.concat(chunks).toString()) as { request: Review }
        const path = (request.url ?? '').split('?')[0] ?? ''
        seen.push({ path, review })
        const made = answer(review, path)
        if (!made) return
        response.setHeader('content-type', 'application/json')
        response.end(
          JSON.stringify({
            apiVersion: 'admission.k8s.io/v1',
            kind: 'AdmissionReview',
            response: { uid: review.uid, ...made },
          }),
        )
      })
    },
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `https://127.0.0.1:${port}`,
    port,
    caBundle: Buffer.from(pki.authority.certificatePem).toString('base64'),
    seen,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A response that changes the object. */
export function patchResponse(operations: readonly object[]): object {
  return {
    allowed: true,
    patchType: 'JSONPatch',
    patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
  }
}
