import type { Client } from '../../src/client/client.ts'

/** The client with some methods replaced; `as` keeps them. */
export function clientWith(client: Client, replaced: Partial<Client>): Client {
  return {
    get: (...args) => client.get(...args),
    list: (...args) => client.list(...args),
    watch: (...args) => client.watch(...args),
    create: (...args) => client.create(...args),
    update: (...args) => client.update(...args),
    patch: (...args) => client.patch(...args),
    apply: (...args) => client.apply(...args),
    delete: (...args) => client.delete(...args),
    deleteCollection: (...args) => client.deleteCollection(...args),
    createSubresource: (...args) => client.createSubresource(...args),
    as: (fieldManager) => clientWith(client.as(fieldManager), replaced),
    ...replaced,
  }
}
