import { Access } from '../../src/apiserver/auth/access.ts'
import { memoryPki } from '../../src/apiserver/auth/pki.ts'
import { startApiServer } from '../../src/apiserver/server.ts'
import { createEnv } from '../../src/base/env.ts'
import { HttpClient } from '../../src/client/http-client.ts'
import { NodeConnections } from '../../src/client/node-connection.ts'
import { createTestCluster } from '../support/cluster.ts'
import { clientContract } from './client.ts'

/** Over real TLS on the loopback, so on the real clock; the store behind it is the one of every other test. */
clientContract('HttpClient', async () => {
  const cluster = await createTestCluster()
  const env = createEnv()
  const host = '127.0.0.1'
  const pki = await memoryPki({ host, now: env.clock.now() })
  const { registry, store } = cluster
  const access = new Access(env, store, registry.reader, pki)
  const connections = new NodeConnections()
  const server = await startApiServer(env, { registry, access, connections, pki, host, port: 0 })
  const client = new HttpClient(
    { server: server.url, authorityPem: pki.authority.certificatePem, token: pki.adminToken },
    { fieldManager: 'test' },
  )
  return {
    client,
    async close() {
      await server.close()
      await cluster.close()
    },
  }
})
