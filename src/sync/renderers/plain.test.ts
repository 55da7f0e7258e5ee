import { describe, expect, test } from 'vitest'
import { renderPlain } from './plain.ts'

const map = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\n`
const render = (files: Readonly<Record<string, string>>, path = '.') =>
  renderPlain(
    Object.entries(files).map(([file, text]) => ({ path: file, text })),
    path,
  )
const names = (files: Readonly<Record<string, string>>, path = '.') =>
  render(files, path).manifests.map(({ object, file, line }) => `${object.metadata.name} ${file}:${line}`)

describe('renderPlain', () => {
  test.each([
    ['several documents', { 'a.yaml': `${map('a')}---\n${map('b')}` }, '.', ['a a.yaml:1', 'b a.yaml:5']],
    [
      'JSON',
      { 'a.json': '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}' },
      '.',
      ['a a.json:1'],
    ],
    [
      'a path, and nothing that only begins like it',
      { 'apps/a.yaml': map('a'), 'apps2/b.yaml': map('b') },
      './apps/',
      ['a apps/a.yaml:1'],
    ],
    [
      'lists in lists',
      {
        'a.yaml': `apiVersion: v1\nkind: List\nitems:\n- kind: List\n  apiVersion: v1\n  items:\n  - {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n`,
      },
      '.',
      ['a a.yaml:7'],
    ],
    ['an empty list', { 'a.yaml': 'apiVersion: v1\nkind: List\nitems:\n' }, '.', []],
    ['only comments', { 'a.yaml': '# nothing\n---\n---\n' }, '.', []],
    [
      '.seamarkignore, negation included',
      {
        '.seamarkignore': '*.tmp.yaml\ndocs/\n/top.yaml\n!keep.tmp.yaml\n',
        'a.tmp.yaml': map('a'),
        'keep.tmp.yaml': map('k'),
        'x/docs/d.yaml': map('d'),
        'top.yaml': map('t'),
        'x/top.yaml': map('xt'),
      },
      '.',
      ['k keep.tmp.yaml:1', 'xt x/top.yaml:1'],
    ],
    [
      'an ignore file in a folder',
      { 'x/.seamarkignore': 'a.yaml', 'x/a.yaml': map('xa'), 'a.yaml': map('a') },
      '.',
      ['a a.yaml:1'],
    ],
    [
      'charts and kustomizations are left out',
      {
        'c/Chart.yaml': 'name: c',
        'c/templates/x.yaml': '{{ broken',
        'k/kustomization.yaml': '',
        'k/x.yaml': map('x'),
        'a.yaml': map('a'),
      },
      '.',
      ['a a.yaml:1'],
    ],
  ])('reads %s', (_, files, path, expected) =>
    expect(names(files as Record<string, string>, path)).toEqual(expected),
  )

  test.each([
    ['a template', { 'a.yaml': 'x: {{ .Values.y }}: 1\n' }, /^a\.yaml:\d+:\d+ Cannot read YAML/],
    ['no name', { 'a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n' }, /no metadata\.name/],
    [
      'a name that is a boolean',
      { 'a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: y }\n' },
      /quote it/,
    ],
    [
      'a namespace that is a boolean',
      { 'a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a, namespace: n }\n' },
      /namespace that is not text/,
    ],
    [
      'an annotation that is a number',
      { 'a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a, annotations: { x: 1 } }\n' },
      /annotation "x" that is not text/,
    ],
    [
      'generateName',
      { 'a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { generateName: a- }\n' },
      /needs a name/,
    ],
    ['kind without apiVersion', { 'a.yaml': 'kind: ConfigMap\nmetadata: { name: a }\n' }, /no apiVersion/],
    [
      'one object twice',
      { 'a.yaml': map('a'), 'b.yaml': map('a') },
      /^b\.yaml:3:19 ConfigMap "a" is already in a\.yaml:1/,
    ],
    ['a source that is a chart as a whole', { 'Chart.yaml': 'name: x' }, /does not render/],
  ])('refuses %s', (_, files, message) => {
    const [error] = render(files as Record<string, string>).errors
    expect(`${error?.file}:${error?.line}:${error?.column} ${error?.message}`).toMatch(message)
  })

  test('refuses a path that holds nothing, and text in no known encoding', () => {
    expect(render({ 'a.yaml': map('a') }, 'aps').errors[0]?.message).toBe('Folder "aps" holds no manifest')
    const odd = { path: 'a.yaml', text: '', problem: 'is not UTF-8 text' }
    expect(renderPlain([odd], '.').errors).toEqual([{ file: 'a.yaml', message: 'is not UTF-8 text' }])
  })

  test('passes over what is no Kubernetes object, with a warning', () =>
    expect(
      render({ 'values.yaml': 'replicas: 3\n', 'list.yaml': '- 1\n' }).warnings.map(({ file }) => file),
    ).toEqual(['values.yaml', 'list.yaml']))

  test('parses a file once for as long as it is the same', () => {
    const file = { path: 'a.yaml', text: map('a') }
    expect(renderPlain([file], '.').manifests[0]).toBe(renderPlain([file], '.').manifests[0])
  })

  test('finds the place of a field, of a key with dots, and of the nearest field above', () => {
    const text = `${map('a')}data:\n  x.y/z: "1"\n`
    const [manifest] = renderPlain([{ path: 'a.yaml', text }], '.').manifests
    const at = (field: string | undefined) => {
      const place = manifest?.placeOf(field, '')
      return `${place?.line}:${place?.column}`
    }
    expect([at('data.x.y/z'), at('data.missing'), at('metadata.name'), at(undefined)]).toEqual([
      '5:11',
      '5:3',
      '3:19',
      '1:1',
    ])
  })
})
