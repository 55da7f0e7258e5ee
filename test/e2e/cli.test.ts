import fs, {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import git from 'isomorphic-git'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { runSeamark, type SeamarkProcess } from '../support/seamark-process.ts'

/** The command line as a user meets it: real processes, exit codes, one clear line for each thing that can be wrong. */
const root = mkdtempSync(join(tmpdir(), 'seamark-cli-'))
const running: SeamarkProcess[] = []
const LOCAL = ['--listen', '127.0.0.1:0']
const author = { name: 'A', email: 'a@example.invalid' }

afterEach(async () => {
  for (const process of running.splice(0)) {
    process.signal('SIGKILL')
    await process.ended
  }
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

let folders = 0
function folder(): string {
  folders += 1
  const path = join(root, `f${folders}`)
  mkdirSync(path)
  return path
}

async function commit(dir: string, message: string): Promise<string> {
  await git.add({ fs, dir, filepath: '.' })
  return git.commit({ fs, dir, message, author })
}

const configMap = (name: string, value = '1') =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  value: "${value}"\n`

const secret = (password: string) =>
  `apiVersion: v1\nkind: Secret\nmetadata:\n  name: token\nstringData:\n  password: ${password}\n`

async function repository(): Promise<string> {
  const dir = folder()
  await git.init({ fs, dir, defaultBranch: 'main' })
  writeFileSync(join(dir, 'config.yaml'), configMap('settings'))
  await commit(dir, 'Settings')
  return dir
}

function up(args: readonly string[], options: { readonly cwd?: string } = {}): SeamarkProcess {
  const process = runSeamark(['up', ...args], options)
  running.push(process)
  return process
}

async function seamark(...args: readonly string[]) {
  return runSeamark(args, { cwd: root }).ended
}

describe('seamark validate', () => {
  const golden = join(import.meta.dirname, '../golden/validate')

  test.each([
    ['nothing wrong', ['clean'], 0],
    ['an error', ['does-not-fit'], 1],
    ['something unreadable', ['unreadable'], 2],
    ['an unknown format', ['clean', '-o', 'xml'], 2],
    ['an unknown severity', ['clean', '--fail-on', 'info'], 2],
    ['an unknown option', ['clean', '--bogus'], 2],
    ['a path that is not there', ['nowhere'], 2],
  ])('with %s', async (_, [name = '', ...args], code) => {
    const { code: ended, stdout, stderr } = await seamark('validate', join(golden, name), ...args)
    expect([ended, stdout + stderr]).toEqual([code, expect.stringMatching(/\S/)])
  })

  test('prints what the golden files hold', async () => {
    const { stdout } = await seamark('validate', join(golden, 'does-not-fit'))
    expect(stdout).toBe(readFileSync(join(golden, 'does-not-fit/expected.txt'), 'utf8'))
  })

  test('says that there is no manifest', async () => {
    const { code, stderr } = await seamark('validate', folder())
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^error: No manifest found in ".+"\n$/)])
  })

  test('takes one file, and fails on warnings when asked to', async () => {
    const file = join(folder(), 'service.yaml')
    const spec = 'spec:\n  selector:\n    app: nobody\n  ports:\n    - port: 80\n'
    writeFileSync(file, `apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n${spec}`)
    expect((await seamark('validate', file)).code).toBe(0)
    expect((await seamark('validate', file, '--fail-on', 'warning')).code).toBe(1)
  })

  test('writes several reports of one run', async () => {
    const report = join(folder(), 'report.json')
    const { code, stdout } = await seamark(
      'validate',
      join(golden, 'unresolved'),
      '-o',
      'text',
      '-o',
      `json=${report}`,
    )
    const { findings } = JSON.parse(readFileSync(report, 'utf8'))
    expect(code).toBe(1)
    expect(stdout.trimEnd().split('\n')).toHaveLength(findings.length + 1)
    expect(findings[0]).toMatchObject({
      severity: 'error',
      rule: 'unresolved-reference',
      file: 'app.yaml',
      line: 14,
      column: 27,
      resource: 'Deployment default/web',
    })
  })

  test('leaves nothing behind', async () => {
    const dir = folder()
    cpSync(join(golden, 'clean'), dir, { recursive: true })
    await runSeamark(['validate', '.'], { cwd: dir }).ended
    expect(existsSync(join(dir, '.seamark'))).toBe(false)
  })
})

describe('seamark up', () => {
  test('stops within two seconds of Ctrl-C, and again resumes at the same revision', async () => {
    const dir = await repository()
    const first = up([dir, ...LOCAL])
    await first.until(/Healthy/)
    const before = performance.now()
    first.signal('SIGINT')
    const { code, stderr } = await first.ended
    expect(performance.now() - before).toBeLessThan(2000)
    expect(code).toBe(0)
    const revision = /stopped at revision (\d+)/.exec(stderr)?.[1]
    const second = up([dir, ...LOCAL, '--once'])
    const again = await second.ended
    expect(again.code).toBe(0)
    // Node leases and conditions may be written anew; the repository's objects are not.
    expect(again.stderr).not.toMatch(/created|changed/)
    expect(Number(/stopped at revision (\d+)/.exec(again.stderr)?.[1])).toBeGreaterThanOrEqual(
      Number(revision),
    )
  })

  test('stops at once at the second Ctrl-C', async () => {
    const process = up([await repository(), ...LOCAL])
    await process.until(/Healthy/)
    process.signal('SIGINT')
    await process.until(/press Ctrl-C again/)
    process.signal('SIGINT')
    // Unless it was done already.
    expect([0, 130]).toContain((await process.ended).code)
  })

  test('keeps its keys out of the repository', async () => {
    const dir = await repository()
    expect((await up([dir, ...LOCAL, '--once']).ended).code).toBe(0)
    const status = await git.statusMatrix({ fs, dir })
    expect(status.map(([path]) => path)).toEqual(['config.yaml'])
  })

  test('with --once says how a commit ended that cannot be applied', async () => {
    const dir = await repository()
    writeFileSync(join(dir, 'config.yaml'), configMap('Not_A_Name'))
    await commit(dir, 'A bad name')
    const { code, stderr } = await up([dir, ...LOCAL, '--once']).ended
    expect(code).toBe(1)
    expect(stderr).toMatch(/config\.yaml:4:9.*metadata\.name: Invalid value: "Not_A_Name"/)
  })

  test('with --once does not wait for a branch that is not there', async () => {
    const { code, stderr } = await up([await repository(), ...LOCAL, '--once', '--branch', 'nope']).ended
    expect([code, stderr]).toEqual([1, expect.stringContaining('no branch, tag or commit "nope"')])
  })

  test('with -o json prints one event per line on stdout', async () => {
    const { code, stdout, stderr } = await up([await repository(), ...LOCAL, '--once', '-o', 'json']).ended
    const types = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).type)
    expect([code, stderr]).toEqual([0, ''])
    expect(types).toEqual(expect.arrayContaining(['started', 'commit-seen', 'applied', 'healthy', 'stopped']))
  })

  test('waits for a repository that is not there yet, and does not stand in its way', async () => {
    const cwd = folder()
    const process = up(['later', ...LOCAL], { cwd })
    await process.until(/Waiting for the first commit/)
    const dir = join(cwd, 'later')
    expect(existsSync(dir)).toBe(false)
    await git.init({ fs, dir, defaultBranch: 'main' })
    writeFileSync(join(dir, 'config.yaml'), configMap('settings'))
    await commit(dir, 'Settings')
    await process.until(/Healthy/)
    process.signal('SIGTERM')
    expect((await process.ended).code).toBe(0)
    // And is resumed from where it was started.
    const again = await up(['later', ...LOCAL, '--once'], { cwd }).ended
    expect([again.code, existsSync(join(dir, '.seamark'))]).toEqual([0, false])
  })

  test('says that the port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const { code, stderr } = await up([await repository(), '--listen', `127.0.0.1:${port}`]).ended
    server.close()
    expect([code, stderr]).toEqual([
      1,
      `error: Cannot listen on 127.0.0.1:${port}: the address is in use by another process; choose another address with --listen HOST:PORT\n`,
    ])
  })

  test('says that the data directory is in use, and by whom', async () => {
    const dir = await repository()
    const first = up([dir, ...LOCAL])
    await first.until(/Healthy/)
    const { code, stderr } = await up([dir, ...LOCAL]).ended
    expect([code, stderr]).toEqual([
      1,
      `error: Data directory "${join(dir, '.seamark')}" is in use by process ${first.pid}; stop it, or choose another with --data\n`,
    ])
    // The first one has not noticed.
    expect((await seamark('status', '--data', join(dir, '.seamark'))).code).toBe(0)
  })

  test.each([
    ['a path whose parent is not there', ['/nowhere/at-all'], 'does not exist'],
    ['a file', [import.meta.filename], 'it is a file'],
    [
      'a transport that would run commands',
      ['ext::sh -c true'],
      'give a folder, a git repository, or an http(s) or ssh URL',
    ],
    ['an address without a port', ['.', '--listen', 'localhost'], 'give HOST:PORT'],
    ['a number of nodes that is none', ['.', '--nodes', 'many'], 'whole number'],
    ['an unknown form of status', ['.', '--status', 'mail'], '--status "mail"'],
    ['an unknown option', ['.', '--bogus'], "unknown option '--bogus'"],
  ])('refuses %s', async (_, args, message) => {
    const { code, stderr, stdout } = await up(args, { cwd: folder() }).ended
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^error: /)
    expect(stderr).toContain(message)
    expect(stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(2)
  })

  test.skipIf(process.getuid?.() === 0)('says that it may not write its data', async () => {
    const dir = folder()
    chmodSync(dir, 0o500)
    const { code, stderr } = await up([dir, ...LOCAL]).ended
    expect([code, stderr]).toEqual([1, expect.stringMatching(/no permission; choose another with --data\n$/)])
  })
})

describe('the other commands', () => {
  test('ask the running server', async () => {
    const dir = await repository()
    const first = await commit(dir, 'The same')
    const process = up([dir, ...LOCAL, '--data', join(root, 'data')])
    await process.until(/Healthy/)
    const ask = (...args: readonly string[]) => seamark(...args, '--data', join(root, 'data'))
    writeFileSync(join(dir, 'config.yaml'), configMap('settings', '2'))
    expect((await ask('diff', dir)).stdout).toMatch(/-\s+value: '1'\n\+\s+value: '2'/)
    writeFileSync(join(dir, 'secret.yaml'), secret('hunter2'))
    const shown = await ask('diff', dir)
    expect([shown.code, shown.stdout]).toEqual([1, expect.stringContaining("+  password: '***'")])
    expect(shown.stdout).not.toMatch(/hunter2|aHVudGVyMg/)
    const second = await commit(dir, 'Two')
    await process.until(/"Two"[\s\S]*Healthy/)

    const status = await ask('status')
    expect([status.code, status.stdout]).toEqual([
      0,
      expect.stringMatching(/ConfigMap +default +settings +Healthy/),
    ])
    writeFileSync(join(dir, 'secret.yaml'), secret('hunter3'))
    expect((await ask('diff', dir)).stdout).toMatch(/-.*\*\*\* \(before\)'\n\+.*\*\*\* \(after\)/)
    writeFileSync(join(dir, 'secret.yaml'), 'apiVersion: v1\nkind: Secrt\nmetadata:\n  name: token\n')
    expect(await ask('diff', dir)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no kind "Secrt"'),
    })
    rmSync(join(dir, 'secret.yaml'))
    const history = JSON.parse((await ask('history', '-o', 'json')).stdout)
    expect(history.slice(0, 2).map(({ commit }: { commit: string }) => commit)).toEqual([second, first])
    expect((await ask('kubeconfig', '--path')).stdout).toBe(`${join(root, 'data/kubeconfig')}\n`)
    expect((await ask('kubeconfig')).stdout).toContain('client-key-data')
    expect((await ask('sync')).stdout).toMatch(/sync requested/)
    expect((await ask('suspend')).stdout).toMatch(/suspended/)
    expect((await ask('resume')).stdout).toMatch(/resumed/)
    const rollback = await ask('rollback')
    expect([rollback.code, rollback.stdout]).toEqual([
      0,
      expect.stringContaining(`pinned to ${first.slice(0, 7)}`),
    ])
    await process.until(new RegExp(`${first.slice(0, 7)} "The same"[^]*${first.slice(0, 7)} "The same"`))
    expect((await ask('diff', dir)).code).toBe(1)
    const missing = await ask('status', 'nobody')
    expect([missing.code, missing.stderr]).toEqual([
      2,
      'error: applications.seamark.dev "nobody" not found\n',
    ])
  })

  test('say that no server is running', async () => {
    const { code, stderr } = await seamark('status', '--data', join(root, 'nothing'))
    expect([code, stderr]).toEqual([2, expect.stringMatching(/is "seamark up" running\?\n$/)])
  })

  test('seamark --version and --help end well, no command does not', async () => {
    expect(await seamark('--version')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    })
    expect((await seamark('--help')).code).toBe(0)
    expect((await seamark()).code).toBe(2)
    expect(await seamark('validat')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Did you mean validate?'),
    })
  })
})
