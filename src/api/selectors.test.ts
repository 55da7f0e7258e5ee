import { describe, expect, test } from 'vitest'
import type { V1LabelSelector } from './generated/types.ts'
import {
  compileRequirements,
  formatLabelSelector,
  labelSelectorMatches,
  mapSelectorMatches,
  parseFieldSelector,
  parseLabelSelector,
  validateLabelSelector,
} from './selectors.ts'
import { ApiError } from './status.ts'

function refusal(parse: () => unknown): string {
  try {
    parse()
  } catch (error) {
    if (error instanceof ApiError && error.reason === 'BadRequest') return error.message
    throw error
  }
  return 'parsed'
}

describe('a label selector as text', () => {
  const WEB = { app: 'web', tier: 'front', size: '5' }
  test.each<[string, Record<string, string>, boolean]>([
    ['', {}, true],
    ['app', WEB, true],
    ['app', {}, false],
    ['!app', {}, true],
    ['!app', WEB, false],
    ['app=web', WEB, true],
    ['app==web', WEB, true],
    ['app = web , tier=front', WEB, true],
    ['app=web,tier=back', WEB, false],
    ['app!=web', WEB, false],
    ['app!=web', {}, true],
    ['app in (web,api)', WEB, true],
    ['app in (api)', WEB, false],
    ['app in (api)', {}, false],
    ['app notin (web)', WEB, false],
    ['app notin (web)', {}, true],
    ['app notin(api),tier', WEB, true],
    ['app=', { app: '' }, true],
    ['app=', {}, false],
    ['size>4', WEB, true],
    ['size>5', WEB, false],
    ['size<10', WEB, true],
    ['size<10', {}, false],
    ['example.com/app=web', { 'example.com/app': 'web' }, true],
    ['in in (a)', { in: 'a' }, true],
    ['constructor', {}, false],
    ['!toString', {}, true],
    ['!constructor', { constructor: 'x' }, false],
  ])('%j of %j: %s', (text, labels, expected) =>
    expect(compileRequirements(parseLabelSelector(text))(labels)).toBe(expected),
  )

  test.each([
    ['app in', /found '', expected: '\('/],
    ['app in (', /expected: ',', or '\)'/],
    ['app in ()', /values set can't be empty/],
    ['app=web tier=x', /found 'tier', expected: ',' or 'end of string'/],
    ['app=web,', /found '', expected: identifier after ','/],
    [',', /unable to parse requirement/],
    ['=web', /unable to parse requirement/],
    ['app~web tier', /unable to parse requirement/],
    ['app is web', /found 'is', expected: in, notin, =, ==, !=, gt, lt/],
    ['a b=c', /found 'b', expected/],
    ['app=-web', /Invalid value: "-web": a valid label must be an empty string or consist of/],
    ['-app', /Invalid value: "-app": name part must consist of/],
    ['size>big', /for 'Gt', 'Lt' operators, the value must be an integer/],
    ['a=b)', /expected/],
  ])('%j is refused', (text, why) => expect(refusal(() => parseLabelSelector(text))).toMatch(why))
})

describe('a label selector in a spec', () => {
  const web: V1LabelSelector = { matchLabels: { app: 'web' } }
  test.each<[string, V1LabelSelector | undefined, Record<string, string> | undefined, boolean]>([
    ['absent selects nothing', undefined, { app: 'web' }, false],
    ['empty selects everything', {}, undefined, true],
    ['labels match', web, { app: 'web', more: 'x' }, true],
    ['labels differ', web, { app: 'api' }, false],
    [
      'both must hold',
      { ...web, matchExpressions: [{ key: 'x', operator: 'Exists' }] },
      { app: 'web' },
      false,
    ],
    ['In', { matchExpressions: [{ key: 'a', operator: 'In', values: ['1', '2'] }] }, { a: '2' }, true],
    [
      'NotIn holds for a label that is not there',
      { matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['1'] }] },
      {},
      true,
    ],
    ['DoesNotExist', { matchExpressions: [{ key: 'a', operator: 'DoesNotExist' }] }, { a: '' }, false],
  ])('%s', (_, selector, labels, expected) => expect(labelSelectorMatches(selector, labels)).toBe(expected))

  test.each<[string, V1LabelSelector, string[]]>([
    ['is fine', web, []],
    ['has keys', { matchLabels: { 'a b': 'x' } }, ['s.matchLabels']],
    ['has values', { matchLabels: { a: '-' } }, ['s.matchLabels']],
    ['In has values', { matchExpressions: [{ key: 'a', operator: 'In' }] }, ['s.matchExpressions[0].values']],
    [
      'Exists has none',
      { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['x'] }] },
      ['s.matchExpressions[0].values'],
    ],
    [
      'knows its operator',
      { matchExpressions: [{ key: 'a', operator: 'Is' }] },
      ['s.matchExpressions[0].operator'],
    ],
  ])('%s', (_, selector, fields) =>
    expect(validateLabelSelector(selector, 's').map(({ field }) => field)).toEqual(fields),
  )

  test('prints sorted, as kubectl does', () => {
    expect(formatLabelSelector(undefined)).toBe('<none>')
    expect(formatLabelSelector({})).toBe('<none>')
    expect(
      formatLabelSelector({
        matchLabels: { b: '1' },
        matchExpressions: [
          { key: 'a', operator: 'NotIn', values: ['y', 'x'] },
          { key: 'c', operator: 'DoesNotExist' },
          { key: 'd', operator: 'Exists' },
        ],
      }),
    ).toBe('a notin (x,y),b=1,!c,d')
  })

  test('a plain map that is empty selects nothing', () => {
    expect(mapSelectorMatches({}, { a: 'b' })).toBe(false)
    expect(mapSelectorMatches({ a: 'b' }, { a: 'b', c: 'd' })).toBe(true)
    expect(mapSelectorMatches({ a: 'b' }, undefined)).toBe(false)
  })
})

describe('a field selector', () => {
  test('is a list of requirements', () =>
    expect(parseFieldSelector('status.phase=Running,metadata.name!=a,x==1')).toEqual([
      { field: 'status.phase', operator: '=', value: 'Running' },
      { field: 'metadata.name', operator: '!=', value: 'a' },
      { field: 'x', operator: '=', value: '1' },
    ]))
  test('may be empty, and compare with nothing', () => {
    expect(parseFieldSelector('')).toEqual([])
    expect(parseFieldSelector('spec.nodeName=')).toEqual([
      { field: 'spec.nodeName', operator: '=', value: '' },
    ])
  })
  test('has escapes', () =>
    expect(parseFieldSelector('a=b\\,c\\=d\\\\e')).toEqual([
      { field: 'a', operator: '=', value: 'b,c=d\\e' },
    ]))
  test('needs an operator', () =>
    expect(refusal(() => parseFieldSelector('phase'))).toBe(
      "invalid selector: 'phase'; can't understand 'phase'",
    ))
})
