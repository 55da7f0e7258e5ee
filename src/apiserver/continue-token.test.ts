import { describe, expect, test } from 'vitest'
import { formatContinue, parseContinue } from './continue-token.ts'

const PREFIX = '/registry/core/pods/shop/'
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

describe('A continue token', () => {
  test('says what it was made of', () => {
    const token = { revision: 42, start: `${PREFIX}web` }
    expect(parseContinue(formatContinue(token), PREFIX)).toEqual(token)
  })
  test.each([
    ['no base64', '%%%'],
    ['no JSON', Buffer.from('web').toString('base64url')],
    ['another version', encode({ v: 'v0', rv: 1, start: `${PREFIX}a` })],
    ['no revision', encode({ v: 'meta.k8s.io/v1', start: `${PREFIX}a` })],
    ['a key that is no text', encode({ v: 'meta.k8s.io/v1', rv: 1, start: 7 })],
    [
      'a key of another namespace',
      encode({ v: 'meta.k8s.io/v1', rv: 1, start: '/registry/core/pods/bank/web' }),
    ],
    [
      'a key of another kind',
      encode({ v: 'meta.k8s.io/v1', rv: 1, start: '/registry/core/secrets/shop/key' }),
    ],
    ['null', encode(null)],
  ])('with %s is refused', (_, text) =>
    expect(() => parseContinue(text, PREFIX)).toThrow('continue key is not valid'),
  )
})
