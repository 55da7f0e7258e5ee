// What tsc does not do: make the bin executable.
import { chmodSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

chmodSync(join(dirname(fileURLToPath(import.meta.url)), '../dist/cli/main.js'), 0o755)
