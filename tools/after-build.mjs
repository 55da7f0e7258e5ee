// What tsc does not do: one file of all modules and libraries for the bin, so that a start does not read 600 of them
// (decisions/0005), made executable.
import { chmodSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const dist = join(dirname(fileURLToPath(import.meta.url)), '../dist')
rmSync(join(dist, 'bin'), { recursive: true, force: true })
const bundle = await rolldown({
  input: { seamark: join(dist, 'cli/main.js') },
  platform: 'node',
  // lmdb finds its binary, and pino its worker, beside themselves.
  external: [/^node:/, 'lmdb', 'pino'],
})
await bundle.write({
  dir: join(dist, 'bin'),
  format: 'esm',
  chunkFileNames: '[name]-[hash].js',
  sourcemap: true,
})
await bundle.close()
chmodSync(join(dist, 'bin/seamark.js'), 0o755)
