import { readFile } from 'node:fs/promises'
import { dump, load } from 'js-yaml'
import { ApiError } from '../api/status.ts'

/** How to reach one API server and prove who one is; a kubeconfig's current context in plain words. */
export interface Connection {
  /** https://127.0.0.1:6443 */
  readonly server: string
  readonly authorityPem?: string | undefined
  readonly certificatePem?: string | undefined
  readonly keyPem?: string | undefined
  readonly token?: string | undefined
  /** Of the current context; default "default". */
  readonly namespace?: string | undefined
}

interface KubeconfigFile {
  readonly 'current-context'?: string
  readonly contexts?: readonly {
    readonly name: string
    readonly context: { readonly cluster: string; readonly user: string; readonly namespace?: string }
  }[]
  readonly clusters?: readonly {
    readonly name: string
    readonly cluster: Readonly<Record<string, string | undefined>>
  }[]
  readonly users?: readonly {
    readonly name: string
    readonly user: Readonly<Record<string, string | undefined>>
  }[]
}

/** The text of a kubeconfig with one cluster, user and context, all called `name`. Holds a private key: write it 0600. */
export function formatKubeconfig(name: string, connection: Connection): string {
  const base64 = (text: string | undefined) =>
    text === undefined ? undefined : Buffer.from(text).toString('base64')
  const members = (object: Readonly<Record<string, string | undefined>>) =>
    Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))
  return dump({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    preferences: {},
    clusters: [
      {
        name,
        cluster: members({
          server: connection.server,
          'certificate-authority-data': base64(connection.authorityPem),
        }),
      },
    ],
    users: [
      {
        name,
        user: members({
          'client-certificate-data': base64(connection.certificatePem),
          'client-key-data': base64(connection.keyPem),
          token: connection.token,
        }),
      },
    ],
    contexts: [{ name, context: members({ cluster: name, user: name, namespace: connection.namespace }) }],
  })
}

/** Reads the current context of a kubeconfig; files it names are read too. Throws an ApiError that names the file and the fault. */
export async function readKubeconfig(path: string): Promise<Connection> {
  let file: KubeconfigFile
  try {
    file = load(await readFile(path, 'utf8')) as KubeconfigFile
  } catch (error) {
    const why =
      (error as NodeJS.ErrnoException).code === 'ENOENT'
        ? 'there is no such file; is "seamark up" running?'
        : String((error as Error).message)
    throw new ApiError('BadRequest', `Cannot read kubeconfig "${path}": ${why}`, { cause: error })
  }
  const refuse = (why: string) => new ApiError('BadRequest', `Cannot use kubeconfig "${path}": ${why}`)
  const context = file.contexts?.find(({ name }) => name === file['current-context'])?.context
  if (!context) throw refuse(`current-context "${file['current-context'] ?? ''}" is not one of its contexts`)
  const cluster = file.clusters?.find(({ name }) => name === context.cluster)?.cluster
  const user = file.users?.find(({ name }) => name === context.user)?.user ?? {}
  const server = cluster?.['server']
  if (!cluster || !server) throw refuse(`cluster "${context.cluster}" has no server`)
  const text = async (from: Readonly<Record<string, string | undefined>>, key: string) => {
    const data = from[`${key}-data`]
    if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8')
    const named = from[key]
    return named === undefined ? undefined : await readFile(named, 'utf8')
  }
  return {
    server,
    authorityPem: await text(cluster, 'certificate-authority'),
    certificatePem: await text(user, 'client-certificate'),
    keyPem: await text(user, 'client-key'),
    token: user['token'],
    namespace: context.namespace,
  }
}
