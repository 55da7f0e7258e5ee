import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KindRef } from '../../src/api/kind.ts'
import { clusterRoleBinding } from '../../src/api/kinds/cluster-role-binding.ts'
import { createEnv } from '../../src/base/env.ts'
import { systemRandom } from '../../src/base/random.ts'
import type { Client } from '../../src/client/client.ts'
import { type Connection, readKubeconfig } from '../../src/client/kubeconfig.ts'
import { type ControlPlaneOptions, startControlPlane } from '../../src/control-plane.ts'

interface Asked {
  readonly token?: string
  /** The administrator's, unless a token is given or this is false. */
  readonly asAdmin?: boolean
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: unknown
  /** Instead of the administrator's. */
  readonly certificate?: string
  readonly key?: string
}

interface Answered {
  readonly code: number
  // biome-ignore lint/suspicious/noExplicitAny: whatever the server says is looked at field by field
  readonly body: any
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
}

/** A whole control plane in memory behind its HTTPS listener: what users and their rights are tested with. */
export interface SecuredCluster {
  readonly kubeconfig: string
  readonly connection: Connection
  /** In this process, allowed everything. */
  readonly client: Client
  ask(method: string, path: string, asked?: Asked): Promise<Answered>
  close(): Promise<void>
}

export async function startSecuredCluster(options: ControlPlaneOptions = {}): Promise<SecuredCluster> {
  const directory = mkdtempSync(join(tmpdir(), 'seamark-access-'))
  const kubeconfig = join(directory, 'kubeconfig')
  const env = createEnv({ random: systemRandom() })
  const plane = await startControlPlane(env, {
    store: 'memory',
    listen: { host: '127.0.0.1', port: 0 },
    kubeconfigPath: kubeconfig,
    parts: { scheduler: false, nodes: false },
    ...options,
  })
  const connection = await readKubeconfig(kubeconfig)
  // Connections are kept for requests without a body, one set for each certificate.
  const agents = new Map<string, Agent>()
  const agentOf = ({ token, asAdmin = token === undefined, certificate = '' }: Asked) => {
    const key = `${asAdmin}${certificate}`
    const agent = agents.get(key) ?? new Agent({ keepAlive: true })
    agents.set(key, agent)
    return agent
  }
  // The default roles are made while the server answers already.
  await eventually(async () => {
    const { items } = await plane.client.list(clusterRoleBinding as KindRef)
    return items.length >= 40
  })
  return {
    kubeconfig,
    connection,
    client: plane.client,
    ask: (method, path, asked = {}) =>
      ask(connection, method, path, asked, asked.body ? false : agentOf(asked)),
    async close() {
      for (const agent of agents.values()) agent.destroy()
      await plane.stop()
      rmSync(directory, { recursive: true })
    },
  }
}

/** Until it holds; fails after ten seconds. */
export async function eventually(holds: () => Promise<boolean>): Promise<void> {
  for (const until = Date.now() + 10_000; !(await holds()); ) {
    if (Date.now() > until) throw new Error('It did not become so within 10 s')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function ask(
  { server, authorityPem, certificatePem, keyPem }: Connection,
  method: string,
  path: string,
  { token, asAdmin = token === undefined, headers = {}, body, certificate, key }: Asked,
  agent: Agent | false,
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const sent = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
    const outgoing = request(
      `${server}${path}`,
      {
        method,
        agent,
        ca: authorityPem,
        ...(asAdmin ? { cert: certificate ?? certificatePem, key: key ?? keyPem } : {}),
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(sent === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(sent)) }),
          ...(headers as Record<string, string | string[]>),
        },
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          resolve({ code: response.statusCode ?? 0, body: parse(text), headers: response.headers })
        })
        response.on('error', reject)
      },
    )
    outgoing.on('error', reject)
    outgoing.end(sent)
  })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
