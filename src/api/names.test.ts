import { describe, expect, test } from 'vitest'
import {
  dns1035Label,
  dns1123Label,
  dns1123Subdomain,
  generatedName,
  labelValue,
  type NameRule,
  pathSegment,
  qualifiedName,
  validateAnnotations,
  validateLabels,
  validateMetadata,
} from './names.ts'
import type { ObjectMeta } from './resource.ts'

const long = (n: number) => 'a'.repeat(n)
type Case = readonly [(text: string) => string | undefined, readonly string[], readonly string[]]

describe('a rule takes what Kubernetes takes', () => {
  const cases: Readonly<Record<string, Case>> = {
    'DNS-1123 label': [
      dns1123Label,
      ['a', '1', 'a-1', '0a', long(63)],
      ['', 'A', '-a', 'a-', 'a.b', 'a_b', long(64), 'a\n', 'ä'],
    ],
    'DNS-1123 subdomain': [
      dns1123Subdomain,
      ['a', 'a.b', '1.2.3', 'a-b.c-d', `${long(63)}.${long(63)}`],
      ['', '.a', 'a.', 'a..b', 'A.b', 'a.-b', long(254)],
    ],
    'DNS-1035 label': [dns1035Label, ['a', 'a-1', long(63)], ['', '1a', '-a', 'a-', 'a.b', long(64)]],
    'label value': [labelValue, ['', 'a', 'A_b.c-1', long(63)], ['-a', 'a-', 'a b', 'a/b', long(64)]],
    'qualified name': [
      qualifiedName,
      ['a', 'A.b_c-d', 'example.com/a', `example.com/${long(63)}`],
      ['', '/', 'a/', '/a', 'a/b/c', 'Example.com/a', '-a', `a/${long(64)}`, 'a b'],
    ],
    'path segment': [pathSegment, ['a', 'A:b', 'system:node'], ['.', '..', 'a/b', 'a%b']],
  }
  test.each(Object.entries(cases))('%s', (_, [rule, good, bad]) => {
    expect(good.filter((text) => rule(text) !== undefined)).toEqual([])
    expect(bad.filter((text) => rule(text) === undefined)).toEqual([])
  })
})

test.each([
  [
    dns1123Subdomain('Web'),
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
  ],
  [
    dns1123Label('Web'),
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
  ],
  [
    dns1035Label('1'),
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
  ],
  [dns1123Label(long(64)), 'must be no more than 63 bytes'],
  [qualifiedName('/a'), 'prefix part must be non-empty'],
  [qualifiedName('a/'), 'name part must be non-empty'],
])('Rule explains itself: %s', (message, expected) => expect(message).toBe(expected))

test('A generated name leaves room for its suffix', () => {
  expect(generatedName('web-', 'abcde')).toBe('web-abcde')
  expect(generatedName(long(70), 'abcde')).toBe(`${long(58)}abcde`)
})

describe('metadata', () => {
  const faults = (meta: Partial<ObjectMeta>, nameRule: NameRule = 'dns1123-subdomain', namespaced = true) =>
    validateMetadata({ name: 'a', namespace: 'b', ...meta }, { namespaced, nameRule }).map(
      ({ field, message }) => `${field}: ${message}`,
    )
  const owner = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: '1' }
  test.each<[string, string[], RegExp[]]>([
    ['is fine', faults({}), []],
    [
      'needs a name',
      faults({ name: '' }),
      [/^metadata.name: Required value: name or generateName is required$/],
    ],
    ['needs a namespace', faults({ namespace: '' }), [/^metadata.namespace: Required value$/]],
    [
      'has no namespace in the cluster',
      faults({}, 'dns1123-subdomain', false),
      [/^metadata.namespace: Forbidden: not allowed on this type$/],
    ],
    [
      'names the wrong name',
      faults({ name: 'A_b' }),
      [/^metadata.name: Invalid value: "A_b": a lowercase RFC 1123 sub/],
    ],
    ['follows the rule of the kind', faults({ name: 'a.b' }, 'dns1035-label'), [/a DNS-1035 label/]],
    [
      'has valid labels',
      faults({ labels: { 'a b': '-' } }),
      [/^metadata.labels: .*"a b"/, /^metadata.labels: .*"-"/],
    ],
    [
      'has whole owners',
      faults({ ownerReferences: [{ ...owner, uid: '', apiVersion: '' }] }),
      [
        /apiVersion: Invalid value: "": version must not be empty/,
        /uid: Invalid value: "": must not be empty/,
      ],
    ],
    [
      'has one controller',
      faults({
        ownerReferences: [
          { ...owner, controller: true },
          { ...owner, name: 'q', controller: true },
        ],
      }),
      [
        /Only one reference can have Controller set to true. Found "true" in references for Pod\/p and Pod\/q/,
      ],
    ],
    ['has named finalizers', faults({ finalizers: ['a b'] }), [/^metadata.finalizers: Invalid value: "a b"/]],
    [
      'cannot orphan and wait',
      faults({ finalizers: ['orphan', 'foregroundDeletion'] }),
      [/cannot both be set/],
    ],
  ])('%s', (_, found, expected) => {
    expect(found).toHaveLength(expected.length)
    for (const [i, pattern] of expected.entries()) expect(found[i]).toMatch(pattern)
  })

  test('annotation keys may have capitals, their values anything up to 256 KiB together', () => {
    expect(validateAnnotations({ 'Example.com/Key': '{"any": "text"}\n' }, 'a')).toEqual([])
    expect(validateAnnotations({ k: 'x'.repeat(256 * 1024 - 1) }, 'a')).toEqual([])
    expect(validateAnnotations({ k: 'x'.repeat(256 * 1024) }, 'a')).toMatchObject([
      { reason: 'FieldValueTooLong', message: 'Too long: may not be more than 262144 bytes' },
    ])
  })

  test('labels are checked key and value', () =>
    expect(validateLabels({ ok: 'ok', 'a/b/c': 'x' }, 'l').map(({ field }) => field)).toEqual(['l']))
})
