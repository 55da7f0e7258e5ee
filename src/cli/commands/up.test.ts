import { expect, test } from 'vitest'
import { nameOf, parseListen } from './up.ts'

test.each([
  ['127.0.0.1:6443', '127.0.0.1', 6443],
  [':6443', '127.0.0.1', 6443],
  ['localhost:0', 'localhost', 0],
  ['[::1]:6443', '::1', 6443],
])('parseListen reads %s', (text, host, port) => expect(parseListen(text)).toEqual({ host, port }))

test.each(['6443', 'localhost', '127.0.0.1:65536', '::1:6443', 'a:b'])('parseListen refuses %s', (text) =>
  expect(() => parseListen(text)).toThrow(`Cannot listen on "${text}": give HOST:PORT`),
)

test.each([
  ['https://git.example/team/My_Shop.git', 'my-shop'],
  ['/srv/repos/shop.git', 'shop'],
  ['/srv/cluster.d/', 'cluster-d'],
  ['/', 'repository'],
  [`/srv/${'a'.repeat(62)}-b`, 'a'.repeat(62)],
])('nameOf makes a DNS label of %s', (repo, name) => expect(nameOf(repo)).toBe(name))
