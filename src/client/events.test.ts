import { expect, test } from 'vitest'
import { createTestCluster } from '../../test/support/cluster.ts'
import { make } from '../../test/support/make.ts'
import { event } from '../api/kinds/event.ts'
import { EventRecorder } from './events.ts'

test('Events of one moment are listed in the order in which they happened', async () => {
  const { env, client, clock, close } = await createTestCluster()
  const [kubelet, scheduler] = ['kubelet', 'scheduler'].map((name) => new EventRecorder(env, client, name))
  const about = make.pod()
  scheduler?.event(about, 'Normal', 'Scheduled', 'somewhere')
  await clock.run(1)
  const reasons = ['Pulling', 'Pulled', 'Created', 'Started', 'Killing']
  for (const reason of reasons) kubelet?.event(about, 'Normal', reason, reason)
  await clock.run(1)
  const listed = (await client.list(event)).items
  expect(listed.map(({ reason }) => reason)).toEqual(['Scheduled', ...reasons])
  for (const { metadata } of listed) expect(metadata.name).toMatch(/^[a-z-]+\.[0-9a-f]{16}$/)
  await close()
})
