import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { kinds } from '../../src/api/kinds/index.ts'
import { metricsKinds } from '../../src/api/metrics-kinds.ts'
import { reviewKinds } from '../../src/api/review-kinds.ts'
import { aggregatedDiscovery } from '../../src/apiserver/discovery.ts'
import { compatibilityDocument, differences } from '../support/api-compatibility.ts'

const served = [...kinds, ...reviewKinds, ...metricsKinds]
const DOCUMENT = join(import.meta.dirname, '../../docs/api-compatibility.md')
/** Of Kubernetes 1.36 with every API on; beside the repository, not part of it. */
const DISCOVERY = join(
  import.meta.dirname,
  '../../../shared/data/kubernetes-1.36/discovery-aggregated-v2.json',
)

interface Discovery {
  readonly items: readonly {
    readonly metadata: { readonly name?: string }
    readonly versions: readonly { readonly version: string; readonly resources: readonly Found[] }[]
  }[]
}

interface ResponseKind {
  readonly group: string
  readonly version: string
  readonly kind: string
}

interface Found {
  readonly resource: string
  readonly responseKind: ResponseKind
  readonly scope: string
  readonly singularResource: string
  readonly verbs: readonly string[]
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
  readonly subresources?: readonly {
    readonly subresource: string
    readonly responseKind: ResponseKind
    readonly verbs: readonly string[]
  }[]
}

test('docs/api-compatibility.md tells of the kinds that are served; made anew by tools/api-compatibility.mjs', () => {
  const wanted = compatibilityDocument(served)
  if (process.env['UPDATE']) writeFileSync(DOCUMENT, wanted)
  expect(readFileSync(DOCUMENT, 'utf8')).toBe(wanted)
})

/** One line of facts by "GROUP/VERSION RESOURCE", subresources apart. A group that is its own is left out there. */
function flat({ items }: Discovery): Map<string, string> {
  const all = new Map<string, string>()
  for (const { metadata, versions } of items) {
    const { name: group = '' } = metadata
    for (const { version, resources } of versions) {
      const kindText = ({ group: of, version: at, kind }: ResponseKind) =>
        of === '' || (of === group && at === version) ? kind : `${of}/${at} ${kind}`
      for (const { subresources = [], ...found } of resources) {
        const what = `${group}/${version} ${found.resource}`
        const { verbs, shortNames = [], categories = [], scope, singularResource } = found
        const facts = [verbs, shortNames, categories].map((list) => [...list].sort().join(','))
        all.set(what, [kindText(found.responseKind), scope, singularResource, ...facts].join(' | '))
        for (const { subresource, responseKind, verbs: own } of subresources)
          all.set(`${what}/${subresource}`, `${kindText(responseKind)} | ${[...own].sort().join(',')}`)
      }
    }
  }
  return all
}

const isKnown = (what: string) =>
  differences.some(
    (one) => what === one.what || what.startsWith(`${one.what} `) || what.startsWith(`${one.what}/`),
  )

test.skipIf(!existsSync(DISCOVERY))(
  'Every group, version, resource and subresource of Kubernetes 1.36 is served as there, or is a known difference',
  () => {
    const there = flat(JSON.parse(readFileSync(DISCOVERY, 'utf8')) as Discovery)
    const here = flat(aggregatedDiscovery(served, 'apis', 'v2') as Discovery)
    const wanted = [...there].filter(([what]) => !isKnown(what))
    const lines = (list: Iterable<readonly [string, string | undefined]>) =>
      [...list].map(([what, facts]) => `${what}: ${facts}`).sort()
    expect(lines(wanted.map(([what]) => [what, here.get(what)]))).toEqual(lines(wanted))
    const extra = [...here.keys()].filter(
      (what) => !there.has(what) && !/^(seamark\.dev|metrics\.k8s\.io)\//.test(what),
    )
    expect(extra.filter((what) => !isKnown(what))).toEqual([])
  },
)

test('The core group is served as Kubernetes 1.36 serves it, or a known difference', () => {
  const here = flat(aggregatedDiscovery(served, 'api', 'v2') as Discovery)
  const names = [...here.keys()].map((what) => what.replace('/v1 ', '')).filter((what) => what !== OWN)
  const wanted = CORE.split(' ').filter((what) => names.includes(what) || !isKnown(`v1 ${what}`))
  expect(names.sort()).toEqual(wanted.sort())
})

/** Seamark's own, beside what Kubernetes has. */
const OWN = 'pods/explain'
const CORE =
  'bindings componentstatuses configmaps endpoints events limitranges namespaces namespaces/finalize namespaces/status nodes nodes/proxy nodes/status persistentvolumeclaims persistentvolumeclaims/status persistentvolumes persistentvolumes/status pods pods/attach pods/binding pods/ephemeralcontainers pods/eviction pods/exec pods/log pods/portforward pods/proxy pods/resize pods/status podtemplates replicationcontrollers replicationcontrollers/scale replicationcontrollers/status resourcequotas resourcequotas/status secrets serviceaccounts serviceaccounts/token services services/proxy services/status'
