// Writes docs/api-compatibility.md from the kinds that are served: the test that holds the file writes it when told to.
import { spawnSync } from 'node:child_process'

const { status } = spawnSync(
  process.execPath,
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--project',
    'unit',
    'test/contracts/api-compatibility.test.ts',
    '-t',
    'docs/',
  ],
  { stdio: 'inherit', env: { ...process.env, UPDATE: '1' } },
)
process.exitCode = status ?? 1
