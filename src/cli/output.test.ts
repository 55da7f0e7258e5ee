import { expect, test } from 'vitest'
import { formatTable, printable } from './output.ts'

test('A table is aligned as that of kubectl, without spaces at line ends', () =>
  expect(
    formatTable(
      ['NAME', 'STATUS', 'MESSAGE'],
      [
        ['web', 'Healthy', ''],
        ['checkout', 'Degraded', 'CrashLoopBackOff'],
      ],
    ),
  ).toBe(
    ['NAME       STATUS     MESSAGE', 'web        Healthy', 'checkout   Degraded   CrashLoopBackOff'].join(
      '\n',
    ),
  ))

test.each([
  ['an escape', 'a\u001b[31mb', 'a�[31mb'],
  ['a carriage return', 'good\rbad', 'good�bad'],
  ['a change of direction', 'a\u202eb', 'a�b'],
  ['a C1 control', 'a\u009bb', 'a�b'],
  ['nothing of ordinary text', 'naïve 日本 ✔\n\t', 'naïve 日本 ✔\n\t'],
])('printable takes out %s', (_, text, shown) => expect(printable(text)).toBe(shown))
