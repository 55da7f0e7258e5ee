import { describe, expect, test } from 'vitest'
import { lineColumn, lineTable, parseYaml } from './yaml.ts'

const read = (text: string) => parseYaml(text, 'a.yaml').map(({ value }) => value)
const fault = (text: string) => {
  try {
    parseYaml(text, 'a.yaml')
  } catch (error) {
    const { reason, mark } = error as { reason: string; mark?: { line: number; column: number } }
    return `${mark ? `${mark.line + 1}:${mark.column + 1} ` : ''}${reason}`
  }
  return 'no fault'
}

describe('YAML is read as kubectl reads it', () => {
  test.each([
    ['on', true],
    ['Yes', true],
    ['off', false],
    ['n', false],
    ['"no"', 'no'],
    ['0755', 493],
    ['0o755', 493],
    ['0b11', 3],
    ['0x1F', 31],
    ['1_000', 1000],
    ['1e3', 1000],
    ['08', 8],
    ['1:30', '1:30'],
    ['1e400', '1e400'],
    ['2001-12-14', '2001-12-14'],
    ['1.10', 1.1],
    ['~', null],
    ['!foo bar', 'bar'],
    ['!!binary aGk=', 'hi'],
    ['a#c', 'a#c'],
  ])('%s', (text, value) => expect(read(`v: ${text}`)).toEqual([{ v: value }]))

  test('merge keys, anchors, and what comes after them', () =>
    expect(read('base: &b { a: 1, b: 2 }\nx: { <<: *b, b: 3 }')).toEqual([
      { base: { a: 1, b: 2 }, x: { a: 1, b: 3 } },
    ]))

  test('documents are split by the parser, not by text', () =>
    expect(read('a: |\n  ---\n  b\n---\n# nothing\n---\nc: 1\n...\n')).toEqual([
      { a: '---\nb\n' },
      null,
      { c: 1 },
    ]))

  test('__proto__ is a plain key', () => {
    const [value] = read('__proto__: { x: 1 }')
    expect(Object.keys(value as object)).toEqual(['__proto__'])
    expect(({} as { x?: number }).x).toBeUndefined()
  })
})

describe('YAML that JSON cannot hold is refused, with its place', () => {
  const bomb = ['a: &a [x, x, x, x, x, x, x, x, x, x]']
  for (const [name, before] of ['ba', 'cb', 'dc', 'ed', 'fe', 'gf', 'hg', 'ih'].map((pair) => [...pair]))
    bomb.push(`${name}: &${name} [${Array(10).fill(`*${before}`).join(', ')}]`)
  test.each([
    ['a duplicate key', 'a: 1\na: 2', /^2:1 .*dup/i],
    ['not a number', 'a:\n  b: .nan', /^2:6 a number must be finite/],
    ['infinity', 'a: [-.inf]', /^1:5 a number must be finite/],
    ['a number that would change', 'a: 9007199254740993', /^1:4 the number is too large/],
    ['a tab as indentation', 'a:\n\tb: 1', /tab|indent/i],
    ['an open bracket', 'a: [1', /./],
    ['a value inside itself', 'a: &a [*a]', /alias|anchor/i],
    ['a billion values', bomb.join('\n'), /aliases make more than/],
    ['great depth', `a: ${'['.repeat(200)}${']'.repeat(200)}`, /./],
  ])('%s', (_, text, message) => expect(fault(text)).toMatch(message))
})

test('places are found for every value', () => {
  const text = 'a: 1\nspec:\n  containers:\n    - name: x\n      image: y\n'
  const [document] = parseYaml(text, 'a.yaml')
  const at = (pointer: string) => lineColumn(text, document?.offsets.get(pointer) ?? -1)
  expect([at('/a'), at('/spec/containers/0/image'), at('/spec/containers/0/image#key')]).toEqual([
    { line: 1, column: 4 },
    { line: 5, column: 14 },
    { line: 5, column: 7 },
  ])
})

test('lineTable and lineColumn agree on every offset', () => {
  const text = 'a\n\nbc\r\nd'
  const table = lineTable(text)
  for (let offset = 0; offset <= text.length; offset += 1)
    expect(table(offset)).toEqual(lineColumn(text, offset))
})
