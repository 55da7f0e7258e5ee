import { describe, expect, test } from 'vitest'
import { readDeleteOptions } from './delete-options.ts'

const read = (body: unknown, query = '') => readDeleteOptions(body, new URLSearchParams(query))

describe('DeleteOptions', () => {
  test.each<[string, unknown, string, object, boolean]>([
    ['nothing at all', undefined, '', {}, false],
    ['a grace period in the body', { gracePeriodSeconds: 5 }, '', { gracePeriodSeconds: 5 }, false],
    [
      'a grace period in the query, which wins',
      { gracePeriodSeconds: 5 },
      'gracePeriodSeconds=0',
      { gracePeriodSeconds: 0 },
      false,
    ],
    ['a policy', { propagationPolicy: 'Foreground' }, '', { propagationPolicy: 'Foreground' }, false],
    [
      'a policy in the query, which wins',
      { propagationPolicy: 'Orphan' },
      'propagationPolicy=Background',
      { propagationPolicy: 'Background' },
      false,
    ],
    [
      'orphanDependents, the older word',
      { orphanDependents: true },
      '',
      { propagationPolicy: 'Orphan' },
      false,
    ],
    ['orphanDependents: false', { orphanDependents: false }, '', { propagationPolicy: 'Background' }, false],
    [
      'orphanDependents in the query',
      undefined,
      'orphanDependents=true',
      { propagationPolicy: 'Orphan' },
      false,
    ],
    [
      'preconditions',
      { preconditions: { uid: 'a', resourceVersion: '7' } },
      '',
      { preconditions: { uid: 'a', resourceVersion: '7' } },
      false,
    ],
    ['a dry run in the body', { dryRun: ['All'] }, '', {}, true],
    ['a dry run in the query', undefined, 'dryRun=All', {}, true],
    ['an empty dry run', { dryRun: [] }, '', {}, false],
    ['the envelope clients send', { kind: 'DeleteOptions', apiVersion: 'v1' }, '', {}, false],
    ['nulls', { gracePeriodSeconds: null, preconditions: null, orphanDependents: null }, '', {}, false],
  ])('reads %s', (_, body, query, options, dryRun) => expect(read(body, query)).toEqual({ options, dryRun }))

  test.each<[string, unknown, string, string]>([
    [
      'a misspelt policy',
      { propagationPolicy: 'Forground' },
      '',
      'propagationPolicy: Unsupported value: "Forground": supported values: "", "Background", "Foreground", "Orphan"',
    ],
    [
      'both words for the policy',
      { propagationPolicy: 'Orphan', orphanDependents: true },
      '',
      'orphanDependents and deletionPropagation cannot be both set',
    ],
    [
      'a misspelt dry run',
      { dryRun: ['all'] },
      '',
      'dryRun: Unsupported value: ["all"]: supported values: "All"',
    ],
    ['a dry run that is no list', { dryRun: 'All' }, '', 'dryRun: Unsupported value: "All"'],
    ['a misspelt dry run in the query', undefined, 'dryRun=true', 'dryRun: Unsupported value: ["true"]'],
    [
      'half a second',
      { gracePeriodSeconds: 0.5 },
      '',
      'gracePeriodSeconds: Invalid value: 0.5: must be a whole number',
    ],
    [
      'a grace period in words',
      undefined,
      'gracePeriodSeconds=soon',
      'gracePeriodSeconds: Invalid value: "soon"',
    ],
    ['preconditions that are no object', { preconditions: 'uid' }, '', 'preconditions: must be an object'],
    ['a uid that is no text', { preconditions: { uid: 7 } }, '', 'preconditions.uid: Invalid value: 7'],
    ['a body that is no object', ['All'], '', 'cannot unmarshal'],
  ])('refuses %s', (_, body, query, message) => expect(() => read(body, query)).toThrow(message))
})
