// `npm run bench [NAME]`: runs every bench (or those whose file name contains NAME) on what `npm run build` made, and prints
// each figure beside its budget or its baseline.
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const wanted = process.argv[2] ?? ''

for (const file of readdirSync(here).filter((name) => name.endsWith('.bench.mjs') && name.includes(wanted))) {
  const bench = await import(pathToFileURL(join(here, file)).href)
  console.log(`\n${file}: ${bench.question}`)
  for (const { name, value, unit, note } of await bench.run()) {
    console.log(
      `  ${name.padEnd(52)} ${String(Math.round(value * 100) / 100).padStart(10)} ${unit}${note ? `   ${note}` : ''}`,
    )
  }
}
