import { expect, test } from 'vitest'
import { createTestCluster } from '../../test/support/cluster.ts'
import { make } from '../../test/support/make.ts'
import { type Event, event } from '../api/kinds/event.ts'
import { EventRecorder } from '../client/events.ts'
import { Informers } from '../client/informers.ts'
import { eventTtlLoop, expiredEvents, nextExpiry } from './event-ttl.ts'

const at = (time: string, ...written: string[]): Event => ({
  ...event.example,
  metadata: {
    name: 'web.1',
    namespace: 'default',
    creationTimestamp: time,
    managedFields: written.map((each) => ({ time: each })),
  },
  lastTimestamp: '2099-01-01T00:00:00Z',
})

test.each<[string, Event, boolean]>([
  ['goes after an hour', at('2030-01-01T00:00:00Z'), true],
  ['stays until then', at('2030-01-01T00:00:01Z'), false],
  ['counts from its last repeat', at('2030-01-01T00:00:00Z', '2030-01-01T00:30:00Z'), false],
  ['without a time stays', at(''), false],
])('An event %s', (_, given, isOver) => {
  const now = Date.UTC(2030, 0, 1, 1)
  expect(expiredEvents([given], now)).toHaveLength(isOver ? 1 : 0)
})

test('The next look is when the oldest of those that stay is over', () => {
  const now = Date.UTC(2030, 0, 1, 1)
  const all = ['2030-01-01T00:00:00Z', '2030-01-01T00:10:00Z', '2030-01-01T00:20:00Z'].map((time) => at(time))
  expect(nextExpiry([...all, at('')], now)).toBe(Date.UTC(2030, 0, 1, 1, 10))
  expect(nextExpiry([], now)).toBe(Date.UTC(2030, 0, 1, 2))
})

test('Events are gone an hour after they were last written', async () => {
  const { env, client, clock, close } = await createTestCluster()
  const events = new EventRecorder(env, client, 'test')
  const informers = new Informers(env, client)
  const running = eventTtlLoop.start({ env, client, informers, events })
  const left = async () => (await client.list(event)).items.map(({ reason }) => reason).toSorted()
  const about = make.pod()
  events.event(about, 'Normal', 'Once', 'once')
  events.event(about, 'Normal', 'Again', 'again')
  await clock.run(1_800_000)
  events.event(about, 'Normal', 'Again', 'again')
  await clock.run(1_740_000)
  expect(await left()).toEqual(['Again', 'Once'])
  await clock.run(180_000)
  expect(await left()).toEqual(['Again'])
  await clock.run(1_800_000)
  expect(await left()).toEqual([])
  await running.stop()
  await informers.close()
  await close()
})

test('However many there are, all that are over go', async () => {
  const { env, client, clock, close } = await createTestCluster()
  const informers = new Informers(env, client)
  const running = eventTtlLoop.start({
    env,
    client,
    informers,
    events: new EventRecorder(env, client, 'test'),
  })
  for (let i = 0; i < 2100; i += 1)
    await client.create(event, { ...event.example, metadata: { name: `web.${i}`, namespace: 'default' } })
  await clock.run(3_700_000)
  expect((await client.list(event)).items).toEqual([])
  await running.stop()
  await informers.close()
  await close()
})
