import { clientContract } from '../../test/contracts/client.ts'
import { createTestCluster } from '../../test/support/cluster.ts'

clientContract('LocalClient', () => createTestCluster())
