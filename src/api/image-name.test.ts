import { expect, test } from 'vitest'
import { imageNameFault } from './image-name.ts'

const DIGEST = `sha256:${'a'.repeat(64)}`
const BAD = 'invalid reference format'

test.each([
  'nginx',
  'nginx:1.27',
  'shop/web:1',
  'localhost/app',
  'localhost:5000/app:dev',
  'registry.example:5000/team/my_app__x--y.z:1.2-rc_1',
  'Registry.example/app',
  '[::1]:5000/app',
  `ghcr.io/app@${DIGEST}`,
  `ghcr.io/app:1@${DIGEST}`,
])('The image name %s can be read', (image) => {
  expect(imageNameFault(image)).toBeUndefined()
})

test.each([
  ['', BAD],
  [':1', BAD],
  ['bad image', BAD],
  ['BAD IMAGE', `${BAD}: repository name (library/BAD IMAGE) must be lowercase`],
  ['shop/Web:1', `${BAD}: repository name (shop/Web) must be lowercase`],
  ['nginx:', BAD],
  ['nginx:1:2', BAD],
  ['nginx:lat est', BAD],
  ['nginx@sha256:123', BAD],
  ['nginx@', BAD],
  ['https://registry.example/app', BAD],
  ['-x.example/app', BAD],
  ['a//b', BAD],
])('The image name "%s" cannot be read', (image, why) => {
  expect(imageNameFault(image)).toBe(why)
})
