import { describe, expect, test } from 'vitest'
import { readRequest } from './request-info.ts'

const shown = (method: string, url: string) => {
  const info = readRequest(method, url)
  if (info.type === 'other') return `other ${info.path}`
  const { verb, group, version, namespace, plural, name, subresource, rest } = info
  return [
    verb,
    `${group || 'core'}/${version}`,
    namespace ?? '-',
    plural,
    name ?? '-',
    subresource ?? '-',
    ...(rest ? [rest] : []),
  ].join(' ')
}

describe('readRequest', () => {
  test.each([
    ['GET', '/api/v1/pods', 'list core/v1 - pods - -'],
    ['GET', '/api/v1/pods/', 'list core/v1 - pods - -'],
    ['GET', '/api/v1/namespaces/a/pods?watch=1', 'watch core/v1 a pods - -'],
    ['GET', '/api/v1/namespaces/a/pods?watch=true', 'watch core/v1 a pods - -'],
    ['GET', '/api/v1/namespaces/a/pods?watch=0', 'list core/v1 a pods - -'],
    ['GET', '/api/v1/watch/namespaces/a/pods', 'watch core/v1 a pods - -'],
    ['GET', '/api/v1/namespaces/a/pods/web', 'get core/v1 a pods web -'],
    ['GET', '/api/v1/namespaces/a/pods/web/log', 'get core/v1 a pods web log'],
    ['GET', '/api/v1/namespaces/a/pods/web/proxy/x/y', 'get core/v1 a pods web proxy x/y'],
    ['POST', '/api/v1/namespaces/a/pods/web/eviction', 'create core/v1 a pods web eviction'],
    ['GET', '/api/v1/namespaces/a', 'get core/v1 - namespaces a -'],
    ['PUT', '/api/v1/namespaces/a/finalize', 'update core/v1 - namespaces a finalize'],
    ['PATCH', '/api/v1/namespaces/a/status', 'patch core/v1 - namespaces a status'],
    ['DELETE', '/apis/apps/v1/namespaces/a/deployments', 'deletecollection apps/v1 a deployments - -'],
    ['DELETE', '/apis/apps/v1/namespaces/a/deployments/web', 'delete apps/v1 a deployments web -'],
    ['GET', '/apis/seamark.dev/v1alpha1/nodepools/a', 'get seamark.dev/v1alpha1 - nodepools a -'],
    ['GET', '/api/v1/nodes/system%3Anode', 'get core/v1 - nodes system:node -'],
    ['GET', '/api', 'other /api'],
    ['GET', '/apis/apps', 'other /apis/apps'],
    ['GET', '/apis/apps/v1', 'other /apis/apps/v1'],
    ['GET', '/healthz', 'other /healthz'],
  ])('%s %s', (method, url, expected) => expect(shown(method, url)).toBe(expected))

  test.each(['..%2fsecrets', '%2e%2e', 'a%00b', 'a%2fb', '%zz', 'a%252fb', '.', '..'])(
    'refuses the name %s',
    (name) =>
      expect(() => readRequest('GET', `/api/v1/namespaces/a/pods/${name}`)).toThrow('Cannot read the path'),
  )

  test('refuses an unknown method on a resource', () =>
    expect(() => readRequest('BREW', '/api/v1/pods')).toThrow('Method "BREW" is not supported'))
})
