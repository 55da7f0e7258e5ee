// `npm start`: makes demo/ (once) a git repository of examples/cluster-repo, says what to try, and runs `seamark up demo`.
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import git from 'isomorphic-git'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const demo = join(root, 'demo')
const main = join(root, 'dist/bin/seamark.js')
const author = { name: 'Seamark demo', email: 'demo@seamark.invalid' }

if (!fs.existsSync(main)) {
  console.error('error: Seamark is not built; run "npm run build" first')
  process.exit(1)
}
if (!fs.existsSync(join(demo, '.git'))) {
  fs.cpSync(join(root, 'examples/cluster-repo'), demo, { recursive: true })
  fs.writeFileSync(join(demo, '.gitignore'), '.seamark/\n*.bak\n')
  await git.init({ fs, dir: demo, defaultBranch: 'main' })
  await git.add({ fs, dir: demo, filepath: '.' })
  await git.commit({ fs, dir: demo, message: 'A small shop', author })
  // Commits made in there by hand need an author too.
  await git.setConfig({ fs, dir: demo, path: 'user.name', value: author.name })
  await git.setConfig({ fs, dir: demo, path: 'user.email', value: author.email })
}

console.error(`Three things to try, in another terminal:

  1  change    cd demo && sed -i.bak 's|shop/web:2.3.0|shop/web:2.4.0|' apps/web.yaml && git commit -qm "web: 2.4.0" apps/web.yaml
  2  failure   cd demo && sed -i.bak 's|shop/checkout:1.5.0|shop/checkout:1.5.1|' apps/checkout.yaml && git commit -qm "checkout: 1.5.1" apps/checkout.yaml
  3  rollback  cd demo && git revert --no-edit HEAD

and kubectl, with export KUBECONFIG=${demo}/.seamark/kubeconfig
`)

const child = spawn(process.execPath, [main, 'up', 'demo', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
})
// Ctrl-C reaches both: the child decides when to end.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => child.kill('SIGTERM'))
child.on('close', (code) => {
  process.exitCode = code ?? 1
})
