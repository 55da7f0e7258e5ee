import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Application, application as applicationKind } from '../api/kinds/application.ts'
import { badRequest, notFound } from '../api/status.ts'
import { HttpClient } from '../client/http-client.ts'
import { readKubeconfig } from '../client/kubeconfig.ts'

export interface ServerOptions {
  readonly data?: string
  readonly kubeconfig?: string
  readonly namespace: string
}

/** The server a command talks to, ready to be asked. */
export async function connect(options: ServerOptions): Promise<HttpClient> {
  return new HttpClient(await readKubeconfig(kubeconfigPath(options)), { fieldManager: 'seamark-cli' })
}

/** Where the server's kubeconfig is: --kubeconfig, --data, .seamark here, KUBECONFIG, or that of the demo. */
export function kubeconfigPath({ data, kubeconfig }: Omit<ServerOptions, 'namespace'>): string {
  const explicit = kubeconfig ?? (data && join(data, 'kubeconfig'))
  const candidates = ['.seamark/kubeconfig', process.env['KUBECONFIG'], 'demo/.seamark/kubeconfig']
  const path = explicit ?? candidates.find((candidate) => candidate && existsSync(candidate))
  if (!path)
    throw badRequest(
      'Cannot find a kubeconfig: run this beside the repository that "seamark up" follows, or give --data DIR',
    )
  return resolve(path)
}

/** The named Application, or the only one there is. */
export async function findApplication(
  client: HttpClient,
  name: string | undefined,
  namespace: string,
): Promise<Application> {
  if (name !== undefined) return client.get(applicationKind, { namespace, name })
  const { items } = await client.list(applicationKind)
  const [only] = items
  if (!only) throw notFound(applicationKind, '')
  if (items.length > 1)
    throw badRequest(
      `There are ${items.length} Applications; name one of: ${items.map(({ metadata }) => metadata.name).join(', ')}`,
    )
  return only
}

const NO_COMMIT = '-'

export function short(commit: string | undefined): string {
  return commit === undefined ? NO_COMMIT : commit.slice(0, 7)
}
