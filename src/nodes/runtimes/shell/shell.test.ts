import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../../../base/virtual-clock.ts'
import { NO_SURROUNDINGS } from '../surroundings.ts'
import { ContainerFiles } from './files.ts'
import { inputOf } from './process.ts'
import { Shell } from './shell.ts'

const SETTINGS = { path: '/etc/app/settings', bytes: Buffer.from('colour=blue\nsize=3\n'), mode: 0o644 }

function open(stdin = '') {
  const clock = new VirtualClock({ seed: 1 })
  const surroundings = { ...NO_SURROUNDINGS, hostname: 'web-1', podIP: '10.1.2.3', files: () => [SETTINGS] }
  const files = new ContainerFiles(surroundings, clock)
  const shell = new Shell({
    files,
    env: { COLOUR: 'red', EMPTY: '', SPACED: 'a  b' },
    hostname: 'web-1',
    workingDir: '/',
    clock,
    signal: new AbortController().signal,
    processes: ['server'],
    commands: {
      report: async ({ out }) => {
        await out('declared\n')
        return 4
      },
    },
  })
  const said = { out: '', err: '' }
  const outputs = {
    out: async (data: string | Uint8Array) => {
      said.out += Buffer.from(data as string).toString()
    },
    err: async (text: string) => {
      said.err += text
    },
  }
  const script = async (text: string) => {
    const code = await shell.script(text, inputOf(Buffer.from(stdin)), outputs)
    return { code, ...said }
  }
  return { shell, files, script, outputs, said }
}

describe('The shell of simulated containers', () => {
  test.each<[string, string, string]>([
    ['runs one command after another', 'echo a; echo b', 'a\nb\n'],
    ['goes on after success only with &&', 'true && echo yes; false && echo no', 'yes\n'],
    ['goes on after failure only with ||', 'false || echo yes; true || echo no', 'yes\n'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a shell that reads it
    ['puts variables in', 'echo $COLOUR ${COLOUR}s "${MISSING:-none}"', 'red reds none\n'],
    ['keeps single quotes as they are', "echo '$COLOUR  x'", '$COLOUR  x\n'],
    ['splits what is not quoted', 'echo $SPACED "$SPACED"', 'a b a  b\n'],
    ['drops an empty variable and keeps an empty quote', 'echo a $EMPTY b "" c', 'a b  c\n'],
    ['runs a command within a word', 'echo "I am $(hostname)"', 'I am web-1\n'],
    ['sets variables', 'X=1 Y=2; echo $X$Y', '12\n'],
    ['gives one command its own variables', 'X=1 printenv X; echo "[$X]"', '1\n[]\n'],
    ['pipes', 'echo one two | wc -w', '2\n'],
    ['writes and appends to files', 'echo a > /tmp/f; echo b >> /tmp/f; cat /tmp/f', 'a\nb\n'],
    ['reads from a file', 'wc -l < /etc/app/settings', '2\n'],
    ['joins the two outputs', 'cat /none 2>&1', 'cat: /none: No such file or directory\n'],
    ['throws output away', 'echo secret > /dev/null', ''],
    ['knows the last exit code', 'false; echo $?', '1\n'],
    ['changes its folder', 'cd /etc && pwd && cat app/settings | head -n 1', '/etc\ncolour=blue\n'],
    ['shows the files of volumes', 'ls /etc/app', 'settings\n'],
    ['finds lines', 'grep size /etc/app/settings', 'size=3\n'],
    ['runs another shell', `sh -c 'echo inner $COLOUR'`, 'inner red\n'],
    ['finds commands by their path', '/bin/echo x', 'x\n'],
    ['ignores comments', 'echo a # b', 'a\n'],
  ])('%s', async (_, text, out) => {
    expect((await open().script(text)).out).toBe(out)
  })

  test.each<[string, string, number, string]>([
    ['an unknown command', 'nginx -v', 127, 'sh: nginx: not found\n'],
    ['exit', 'exit 3; echo never', 3, ''],
    ['exit in a deeper shell', "sh -c 'exit 5'", 5, ''],
    ['a declared command', 'report', 4, ''],
    ['a missing file', 'cat /none', 1, 'cat: /none: No such file or directory\n'],
    [
      'writing to a volume',
      'echo x > /etc/app/settings',
      1,
      "sh: can't create /etc/app/settings: Read-only file system\n",
    ],
    ['removing from a volume', 'rm /etc/app/settings', 1, 'rm: /etc/app/settings: Read-only file system\n'],
    ['a quote without an end', 'echo "a', 2, 'sh: syntax error: unterminated quoted string\n'],
    ['a loop', 'while true', 2, 'sh: "while": simulated containers run simple commands only\n'],
    ['a folder that is not there', 'cd /none', 1, "sh: cd: can't cd to /none: No such file or directory\n"],
  ])('ends with its code for %s', async (_, text, code, err) => {
    expect(await open().script(text)).toMatchObject({ code, err })
  })

  test('hands its input to the command', async () => {
    expect((await open('typed\n').script('cat')).out).toBe('typed\n')
  })

  test('runs a command as it is given, without expanding its words', async () => {
    const { shell, outputs, said } = open()
    await shell.run(['echo', '$COLOUR', 'a  b'], inputOf(new Uint8Array()), outputs)
    expect(said.out).toBe('$COLOUR a  b\n')
  })

  test('holds no more than its bound', async () => {
    const { files } = open()
    files.write('/tmp/big', new Uint8Array(15 * 1024 * 1024))
    expect(() => files.write('/tmp/more', new Uint8Array(2 * 1024 * 1024))).toThrow('No space left on device')
    files.remove('/tmp/big')
    files.write('/tmp/more', new Uint8Array(2 * 1024 * 1024))
  })

  test.each([
    ['a word that doubles', `X=aaaaaaaaaaaaaaaa; ${'X=$X$X; '.repeat(40)}`],
    ['a command with too many long words', `X=${'a'.repeat(60_000)}; echo ${'$X '.repeat(100)}`],
    ['too many variables', Array.from({ length: 2000 }, (_, i) => `V${i}=1`).join(';')],
    ['too much in a pipe', `X=${'a'.repeat(100_000)}; cat ${'/tmp/f '.repeat(200)} | wc -c`],
  ])('gives up %s before it fills the memory', async (_, text) => {
    const { script, files } = open()
    files.write('/tmp/f', new Uint8Array(100_000))
    expect((await script(text)).code).toBe(2)
  })

  test('packs with tar what it unpacks again', async () => {
    const long = `folder/${'x'.repeat(120)}`
    const { script, files } = open()
    files.makeFolder('/tmp/folder', true)
    files.write(`/tmp/${long}`, Buffer.from('deep'))
    const { code } = await script('cd /tmp && tar cf - folder | tar xf - -C /home')
    expect(code).toBe(0)
    expect(Buffer.from(files.read(`/home/${long}`)).toString()).toBe('deep')
  })

  test('lets no archive out of the folder it is unpacked in', async () => {
    const { writeTar } = await import('./tar.ts')
    const { files, shell, outputs, said } = open()
    const member = { isDirectory: false, mode: 0o644, modifiedAt: 0, bytes: Buffer.from('x') }
    const archive = writeTar([
      { ...member, name: '../etc/passwd' },
      { ...member, name: 'ok' },
    ])
    expect(await shell.run(['tar', 'xf', '-', '-C', '/tmp'], inputOf(archive), outputs)).toBe(0)
    expect(files.find('/etc/passwd')).toBeUndefined()
    expect(files.find('/tmp/ok')).toBeDefined()
    expect(said.err).toContain("name with '..' skipped")
  })
})
