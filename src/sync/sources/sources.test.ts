import fs from 'node:fs'
import { dirname, join } from 'node:path'
import git from 'isomorphic-git'
import { afterEach, describe, expect, test } from 'vitest'
import { sourceContract } from '../../../test/contracts/source.ts'
import { type GitRepo, hasGit, makeGitRepo, temporaryFolder } from '../../../test/support/git-repo.ts'
import { systemClock } from '../../base/clock.ts'
import { VirtualClock } from '../../base/virtual-clock.ts'
import { sharedSource } from '../asked-once.ts'
import { FolderSource } from './folder.ts'
import { GitSource } from './git.ts'
import { openSource } from './index.ts'
import { LocalSource } from './local.ts'
import { MemorySource } from './memory.ts'
import { RemoteSource } from './remote.ts'

const write = (folder: string, files: Readonly<Record<string, string>>) => {
  for (const name of fs.readdirSync(folder))
    if (name !== '.git') fs.rmSync(join(folder, name), { recursive: true })
  for (const [path, text] of Object.entries(files)) {
    fs.mkdirSync(dirname(join(folder, path)), { recursive: true })
    fs.writeFileSync(join(folder, path), text)
  }
}

sourceContract('memory', async () => {
  const source = new MemorySource(new VirtualClock())
  const isManifest = (path: string) => /\.(ya?ml|json)$|\.seamarkignore$/.test(path)
  return {
    source,
    change: async (files) => {
      const kept = Object.entries(files).filter(([path]) => isManifest(path))
      source.commit('change', Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1))))
    },
    close: async () => {},
  }
})
sourceContract('git', async () => {
  const repo = await makeGitRepo()
  const change = async (files: Readonly<Record<string, string>>) => void (await repo.commit(files))
  return { source: new GitSource(systemClock, repo.folder), change, close: async () => repo.remove() }
})
sourceContract('git, shared', async () => {
  const repo = await makeGitRepo()
  const change = async (files: Readonly<Record<string, string>>) => void (await repo.commit(files))
  return {
    source: sharedSource(new GitSource(systemClock, repo.folder)),
    change,
    close: async () => repo.remove(),
  }
})
sourceContract('folder that comes later', async () => {
  const parent = temporaryFolder()
  const folder = join(parent, 'later')
  return {
    source: new LocalSource(systemClock, folder),
    change: async (files) => {
      fs.mkdirSync(folder, { recursive: true })
      write(folder, files)
    },
    close: async () => fs.rmSync(parent, { recursive: true }),
  }
})
if (hasGit)
  sourceContract('remote, by command', async () => {
    const repo = await makeGitRepo()
    const directory = temporaryFolder()
    const source = new RemoteSource(systemClock, `file://${repo.folder}`, { directory, intervalMs: 0 })
    let isEmpty = true
    const latest = source.latest.bind(source)
    // A server with nothing in it refuses HEAD; that is an error, which the contract's first test is not about.
    source.latest = async () => (isEmpty ? undefined : latest())
    return {
      source,
      change: async (files) => {
        isEmpty = false
        await repo.commit(files)
      },
      close: async () => {
        repo.remove()
        fs.rmSync(directory, { recursive: true })
      },
    }
  })

describe('GitSource', () => {
  const repos: GitRepo[] = []
  const made = async (options: Parameters<typeof makeGitRepo>[0] = {}) => {
    const repo = await makeGitRepo(options)
    repos.push(repo)
    return repo
  }
  afterEach(() => {
    for (const repo of repos.splice(0)) repo.remove()
  })
  const latest = (folder: string, ref?: string) => new GitSource(systemClock, folder, { ref }).latest()

  test('knows who said what on which branch', async () => {
    const repo = await made()
    const id = await repo.commit({ 'a.yaml': 'a: 1' }, 'first')
    expect(await latest(repo.folder)).toMatchObject({ id, subject: 'first', author: 'Test', branch: 'main' })
  })

  test('follows a branch, a tag, a commit, and a detached HEAD', async () => {
    const repo = await made()
    const first = await repo.commit({ 'a.yaml': 'a: 1' })
    await git.annotatedTag({
      fs,
      dir: repo.folder,
      ref: 'v1',
      tagger: { name: 'T', email: 't@t' },
      message: 'one',
    })
    await repo.branch('next')
    const second = await repo.commit({ 'a.yaml': 'a: 2' })
    const ids = async (...refs: (string | undefined)[]) =>
      Promise.all(refs.map(async (ref) => (await latest(repo.folder, ref))?.id))
    expect(await ids('main', 'v1', first, 'next', undefined)).toEqual([first, first, first, second, second])
    await git.checkout({ fs, dir: repo.folder, ref: first })
    expect(await latest(repo.folder)).toMatchObject({ id: first })
  })

  test('sees a rewritten branch as it is now', async () => {
    const repo = await made()
    const first = await repo.commit({ 'a.yaml': 'a: 1' })
    const source = new GitSource(systemClock, repo.folder)
    await repo.commit({ 'a.yaml': 'a: 2' })
    await source.latest()
    await repo.reset(first)
    expect(await source.latest()).toMatchObject({ id: first })
  })

  test.each([
    ['a branch that is not there', 'nowhere', /has no branch, tag or commit "nowhere"/],
    ['a commit that is not there', 'f'.repeat(40), /Cannot read repository/],
  ])('says so of %s', async (_, ref, message) => {
    const repo = await made()
    await repo.commit({ 'a.yaml': 'a: 1' })
    await expect(latest(repo.folder, ref)).rejects.toThrow(message)
  })

  test('tells a deleted branch from a repository without commits', async () => {
    const repo = await made()
    expect(await latest(repo.folder)).toBeUndefined()
    await repo.commit({ 'a.yaml': 'a: 1' })
    await git.branch({ fs, dir: repo.folder, ref: 'other' })
    fs.rmSync(join(repo.folder, '.git/refs/heads/main'))
    await expect(latest(repo.folder)).rejects.toThrow(/Branch "main" .* was deleted: it has other/)
  })

  test('calls damage damage, not an empty repository', async () => {
    const repo = await made()
    await repo.commit({ 'a.yaml': 'a: 1' })
    fs.writeFileSync(join(repo.folder, '.git/refs/heads/main'), `${'a'.repeat(40)}\n`)
    await expect(latest(repo.folder)).rejects.toThrow(/Cannot read repository .*see git fsck/)
    fs.writeFileSync(join(repo.folder, '.git/HEAD'), 'nonsense\n')
    await expect(latest(repo.folder)).rejects.toThrow(/damaged: its HEAD says/)
  })

  test('never follows a symbolic link', async () => {
    const repo = await made()
    const secret = join(temporaryFolder(), 'secret.yaml')
    fs.writeFileSync(secret, 'secret: 1')
    fs.symlinkSync(secret, join(repo.folder, 'link.yaml'))
    await git.add({ fs, dir: repo.folder, filepath: 'link.yaml' })
    const author = { name: 'T', email: 't@t' }
    const id = await git.commit({ fs, dir: repo.folder, message: 'link', author })
    expect(await git.listFiles({ fs, dir: repo.folder })).toEqual(['link.yaml'])
    expect(await new GitSource(systemClock, repo.folder).files(id)).toEqual([])
    const folder = new FolderSource(systemClock, repo.folder)
    expect(await folder.files((await folder.latest())?.id ?? '')).toEqual([])
  })

  test.runIf(hasGit)('reads packed, borrowed, SHA-256 and linked repositories', async () => {
    const repo = await made()
    const id = await repo.commit({ 'a.yaml': 'a: 1' }, 'first')
    const borrowed = join(temporaryFolder(), 'borrowed')
    const linked = join(temporaryFolder(), 'linked')
    repo.git('clone', '-q', '--shared', '--bare', repo.folder, borrowed)
    repo.git('worktree', 'add', '-q', linked, '-b', 'side')
    repo.git('gc', '-q')
    repo.git('pack-refs', '--all')
    for (const folder of [repo.folder, borrowed, linked]) {
      const source = new GitSource(systemClock, folder)
      expect(await source.latest()).toMatchObject({ id, subject: 'first', author: 'Test' })
      expect(await source.files(id)).toEqual([{ path: 'a.yaml', text: 'a: 1' }])
    }
    const long = temporaryFolder()
    repo.git('init', '-q', '-b', 'main', '--object-format=sha256', long)
    expect(await new GitSource(systemClock, long).latest()).toBeUndefined()
    fs.writeFileSync(join(long, 'a.yaml'), 'a: 1')
    repo.git('-C', long, 'add', 'a.yaml')
    repo.git('-C', long, 'commit', '-q', '-m', 'first')
    const source = new GitSource(systemClock, long)
    const commit = await source.latest()
    expect(commit).toMatchObject({ subject: 'first', branch: 'main' })
    expect(await source.files(commit?.id ?? '')).toEqual([{ path: 'a.yaml', text: 'a: 1' }])
    await expect(source.writer.note(commit?.id ?? '', 'x')).rejects.toThrow(/only reads repositories/)
    for (const folder of [borrowed, linked, long]) fs.rmSync(folder, { recursive: true })
  })

  test('adds to the note of a commit, as git itself shows it', async () => {
    const repo = await made()
    const id = await repo.commit({ 'a.yaml': 'a: 1' })
    const { writer } = new GitSource(systemClock, repo.folder)
    await Promise.all([writer.note(id, 'one\n'), writer.note(id, 'two\n')])
    const note = await git.readNote({ fs, dir: repo.folder, ref: 'refs/notes/seamark', oid: id })
    expect(Buffer.from(note).toString()).toBe('one\n\ntwo\n')
    if (hasGit) expect(repo.git('notes', '--ref=seamark', 'show', id)).toBe('one\n\ntwo')
    if (hasGit) expect(repo.git('status', '--porcelain')).toBe('')
  })

  test('writes a status branch that nobody has checked out, and never the followed one', async () => {
    const repo = await made()
    await repo.commit({ 'a.yaml': 'a: 1' })
    const { writer } = new GitSource(systemClock, repo.folder)
    await writer.writeBranch('status', new Map([['default/demo.yaml', 'ok']]), 'status')
    await writer.writeBranch('status', new Map([['default/two.yaml', 'ok']]), 'status')
    const tree = await git.listFiles({ fs, dir: repo.folder, ref: 'status' })
    expect(tree).toEqual(['default/demo.yaml', 'default/two.yaml'])
    await expect(writer.writeBranch('main', new Map(), 'x')).rejects.toThrow(/is the one that is followed/)
  })

  test('reverts the newest commit and what nobody edited of the work tree', async () => {
    const repo = await made()
    await repo.commit({ 'a.yaml': 'a: 1', 'b.yaml': 'b: 1' }, 'good')
    const bad = await repo.commit({ 'a.yaml': 'a: 2', 'b.yaml': 'b: 2' }, 'bad')
    fs.writeFileSync(join(repo.folder, 'b.yaml'), 'b: mine')
    const source = new GitSource(systemClock, repo.folder)
    const made2 = await source.writer.revert(bad)
    expect(await source.latest()).toMatchObject({ id: made2, subject: 'Revert "bad"', author: 'Seamark' })
    const read = (name: string) => fs.readFileSync(join(repo.folder, name), 'utf8')
    expect([read('a.yaml'), read('b.yaml')]).toEqual(['a: 1', 'b: mine'])
    expect(await source.writer.revert(bad)).toBeUndefined()
  })

  test('writes outcomes that come together as one commit, and loses none', async () => {
    const repo = await made()
    const first = await repo.commit({ 'a.yaml': 'a: 1' })
    const second = await repo.commit({ 'a.yaml': 'a: 2' })
    const { writer } = new GitSource(systemClock, repo.folder)
    const names = Array.from({ length: 50 }, (_, i) => `outcome ${i}`)
    await Promise.all([...names.map((name) => writer.note(first, name)), writer.note(second, 'other')])
    const log = await git.log({ fs, dir: repo.folder, ref: 'refs/notes/seamark' })
    expect(log.length).toBeLessThanOrEqual(2)
    const note = async (oid: string) =>
      Buffer.from(
        (await git.readNote({ fs, dir: repo.folder, ref: 'refs/notes/seamark', oid })) ?? '',
      ).toString()
    expect((await note(first)).trim().split('\n\n')).toEqual(names)
    expect((await note(second)).trim()).toBe('other')
    const files = (i: number) => new Map([[`app-${i}.yaml`, `i: ${i}\n`]])
    await Promise.all(names.map((name, i) => writer.writeBranch('status', files(i), name)))
    const tree = await git.listFiles({ fs, dir: repo.folder, ref: 'status' })
    expect(tree).toHaveLength(50)
  })

  test('waits for a lock of another git, and leaves it alone when it stays', async () => {
    const repo = await made()
    const id = await repo.commit({ 'a.yaml': 'a: 1' })
    const lock = join(repo.folder, '.git/refs/notes/seamark.lock')
    fs.mkdirSync(dirname(lock), { recursive: true })
    fs.writeFileSync(lock, '')
    const clock = new VirtualClock()
    let failed: unknown
    const noting = new GitSource(clock, repo.folder).writer.note(id, 'x').catch((error: unknown) => {
      failed = error
    })
    // Real files are looked at between the waits on the virtual clock.
    while (failed === undefined) {
      await clock.run(100)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await noting
    expect(String(failed)).toMatch(/seamark\.lock exists; another git command is running/)
    expect(fs.existsSync(lock)).toBe(true)
  })
})

describe('openSource', () => {
  const options = { cacheDirectory: '/nowhere', intervalMs: 60_000 }
  test.each([
    ['ext::sh -c touch% /tmp/x', /Cannot follow/],
    ['ftp://host/x', /Cannot follow/],
    ['ssh://-oProxyCommand=x/y', /Cannot follow/],
    ['/no/such/parent/repo', /does not exist/],
    ['/etc/hostname', /it is a file/],
    ['a\nb', /control characters/],
  ])('refuses %s', (repo, message) => expect(() => openSource(systemClock, repo, options)).toThrow(message))

  test.each(['--upload-pack=x', '-x', 'a b', 'a:b', 'a..b^'])('refuses the ref %s', (ref) =>
    expect(() => openSource(systemClock, '/tmp', { ...options, ref })).toThrow(/cannot be the name/),
  )

  test.each([
    ['https://user:secret@host/repo.git', 'https://host/repo.git'],
    ['git@host:group/repo.git', 'git@host:group/repo.git'],
  ])('follows %s and shows no credentials', (repo, shown) =>
    expect(openSource(systemClock, repo, options).description).toBe(shown),
  )

  test('a folder becomes a repository when there is one, if it was empty before', async () => {
    const folder = temporaryFolder()
    const source = openSource(systemClock, folder, options)
    expect(await source.latest()).toBeUndefined()
    const repo = await makeGitRepo({ folder })
    const id = await repo.commit({ 'a.yaml': 'a: 1' })
    expect(await source.latest()).toMatchObject({ id, branch: 'main' })
    repo.remove()
  })

  test('a folder that goes away is an error, not an empty one', async () => {
    const folder = temporaryFolder()
    write(folder, { 'a.yaml': 'a: 1' })
    const source = new FolderSource(systemClock, folder)
    await source.latest()
    fs.rmSync(folder, { recursive: true })
    await expect(source.latest()).rejects.toThrow(/it is not there/)
  })
})
