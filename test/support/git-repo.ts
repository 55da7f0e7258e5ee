import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import git from 'isomorphic-git'

/** A real repository in a folder of its own, made without the git command. */
export interface GitRepo {
  readonly folder: string
  /** The whole content after the commit: files that are not named are deleted. Returns its id. */
  commit(files: Readonly<Record<string, string>>, subject?: string): Promise<string>
  /** The branch points elsewhere: a force push, seen from here. */
  reset(commit: string): Promise<void>
  branch(name: string): Promise<void>
  git(...args: readonly string[]): string
  remove(): void
}

const AUTHOR = { name: 'Test', email: 'test@localhost' }

/** Whether there is a git command; tests that need one skip without it. */
export const hasGit = spawnSync('git', ['--version']).status === 0

export function temporaryFolder(): string {
  return fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'seamark-git-')))
}

export async function makeGitRepo(
  options: { folder?: string; empty?: boolean; bare?: boolean } = {},
): Promise<GitRepo> {
  const folder = options.folder ?? temporaryFolder()
  await git.init({
    fs,
    dir: folder,
    defaultBranch: 'main',
    ...(options.bare ? { bare: true, gitdir: folder } : {}),
  })
  return {
    folder,
    async commit(files, subject = 'change') {
      const known = await git.listFiles({ fs, dir: folder })
      for (const filepath of known.filter((path) => !(path in files))) {
        fs.rmSync(join(folder, filepath), { force: true })
        await git.remove({ fs, dir: folder, filepath })
      }
      for (const [filepath, text] of Object.entries(files)) {
        const path = join(folder, filepath)
        fs.mkdirSync(dirname(path), { recursive: true })
        // Never through a link: what it points to is not the repository's.
        if (fs.lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) fs.rmSync(path)
        fs.writeFileSync(path, text)
        await git.add({ fs, dir: folder, filepath })
      }
      return git.commit({ fs, dir: folder, message: `${subject}\n`, author: AUTHOR })
    },
    async reset(commit) {
      const ref = (await git.currentBranch({ fs, dir: folder, fullname: true })) ?? 'HEAD'
      await git.writeRef({ fs, dir: folder, ref, value: commit, force: true })
    },
    branch: (name) => git.branch({ fs, dir: folder, ref: name, checkout: true }),
    git(...args) {
      const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' }
      const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@localhost']
      const { status, stdout, stderr } = spawnSync('git', [...identity, ...args], {
        cwd: folder,
        encoding: 'utf8',
        env,
      })
      if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`)
      return stdout.trim()
    },
    remove: () => fs.rmSync(folder, { recursive: true, force: true }),
  }
}
