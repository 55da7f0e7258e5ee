import { compile, type Program } from '../../api/cel/compile.ts'
import { celEnvironment } from '../../api/cel/environment.ts'
import type {
  V1Device,
  V1DeviceRequestAllocationResult,
  V1DeviceSelector,
  V1DeviceSubRequest,
  V1DeviceToleration,
  V1ExactDeviceRequest,
} from '../../api/generated/types.ts'
import { deviceClass } from '../../api/kinds/device-class.ts'
import type { Node } from '../../api/kinds/node.ts'
import type { ResourceClaim } from '../../api/kinds/resource-claim.ts'
import { type ResourceSlice, resourceSlice } from '../../api/kinds/resource-slice.ts'
import { matchesTerm, toleration } from '../../api/placement.ts'
import type { ClusterObjects } from '../cluster-objects.ts'

interface Candidate {
  readonly driver: string
  readonly pool: string
  readonly device: V1Device
}

export type AllocationResult = V1DeviceRequestAllocationResult

/** "driver/pool/device": one allocation at a time. */
export function deviceKey({
  driver,
  pool,
  device,
}: Pick<AllocationResult, 'driver' | 'pool' | 'device'>): string {
  return `${driver}/${pool}/${device}`
}

/** Devices in use, and on top of them those that are tried out: no copy of all that are in use in the cluster. */
export class TakenDevices {
  readonly #below: { has(key: string): boolean }
  readonly own = new Set<string>()

  constructor(below: { has(key: string): boolean }) {
    this.#below = below
  }

  has(key: string): boolean {
    return this.own.has(key) || this.#below.has(key)
  }
}

/**
 * Devices of this node for all requests of a claim, or undefined. First fit in the order of the slices; a constraint of
 * matchAttribute tries one value of it after the other. `used` gains what is taken.
 */
export function allocateDevices(
  { spec }: ResourceClaim,
  node: Node,
  objects: ClusterObjects,
  slices: Slices,
  used: TakenDevices,
): readonly AllocationResult[] | undefined {
  const all = devicesOf(node, slices)
  const { requests = [], constraints = [] } = spec.devices ?? {}
  const matched = constraints.find(({ matchAttribute }) => matchAttribute)
  const attribute = matched?.matchAttribute
  const values = attribute ? [...new Set(all.map((each) => attributeOf(each, attribute)))] : [undefined]
  for (const value of values) {
    if (attribute && value === undefined) continue
    const taken = new TakenDevices(used)
    const results: AllocationResult[] = []
    const isComplete = requests.every(({ name, exactly, firstAvailable = [] }) => {
      const isBound = attribute && (!matched?.requests?.length || matched.requests.includes(name))
      const from = isBound ? all.filter((each) => attributeOf(each, attribute) === value) : all
      const found = exactly
        ? pick(exactly, name, from, objects, taken)
        : firstOf(firstAvailable, (each) => pick(each, `${name}/${each.name}`, from, objects, taken))
      if (found) results.push(...found)
      return found !== undefined
    })
    if (!isComplete) continue
    for (const key of taken.own) used.own.add(key)
    return results
  }
  return undefined
}

/** A class that a request names and that is not there. */
export function missingClass({ spec }: ResourceClaim, objects: ClusterObjects): string | undefined {
  return (spec.devices?.requests ?? [])
    .flatMap(({ exactly, firstAvailable = [] }) => [...(exactly ? [exactly] : []), ...firstAvailable])
    .map(({ deviceClassName }) => deviceClassName)
    .find((name) => !objects.get(deviceClass, name))
}

function firstOf<T, R>(items: readonly T[], make: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const made = make(item)
    if (made !== undefined) return made
  }
  return undefined
}

function pick(
  request: V1ExactDeviceRequest | V1DeviceSubRequest,
  name: string,
  from: readonly Candidate[],
  objects: ClusterObjects,
  taken: TakenDevices,
): AllocationResult[] | undefined {
  const { deviceClassName, selectors = [], allocationMode, count = 1, tolerations } = request
  const fromClass = objects.get(deviceClass, deviceClassName)
  if (!fromClass) return undefined
  const wanted = [...(fromClass.spec.selectors ?? []), ...selectors]
  const isAdmin = 'adminAccess' in request && request.adminAccess === true
  const isAll = allocationMode === 'All'
  const chosen: AllocationResult[] = []
  for (const candidate of from) {
    if (!isAll && chosen.length === count) break
    const { driver, pool, device } = candidate
    const asked = { request: name, driver, pool, device: device.name }
    // The allocation says what was tolerated: evictions are decided by it.
    const result = tolerations?.length ? { ...asked, tolerations } : asked
    const isTaken = (!isAdmin && taken.has(deviceKey(result))) || !isTolerated(device, tolerations)
    if (isTaken && !isAll) continue
    if (!wanted.every((selector) => selects(selector, candidate))) continue
    if (isTaken) return undefined
    chosen.push(isAdmin ? { ...result, adminAccess: true } : result)
  }
  if (isAll ? chosen.length === 0 : chosen.length < count) return undefined
  if (!isAdmin) for (const result of chosen) taken.own.add(deviceKey(result))
  return chosen
}

/** No taint keeps claims away that these tolerations do not cover. */
function isTolerated({ taints = [] }: V1Device, tolerations: readonly V1DeviceToleration[] = []): boolean {
  return taints.every(
    (taint) =>
      !['NoSchedule', 'NoExecute'].includes(taint.effect) ||
      tolerations.some((each) => toleration(each, taint)),
  )
}

/** The slices of the newest generation of each pool; those of one node by its name, the others under ''. */
export type Slices = ReadonlyMap<string, readonly ResourceSlice[]>

let last: { readonly from: readonly ResourceSlice[]; readonly slices: Slices } | undefined

/** Sorted once for as long as the slices are the same: they change seldom, and every pod asks. */
export function slicesOf(objects: ClusterObjects): Slices {
  const from = objects.list(resourceSlice)
  const isSame = last?.from.length === from.length && from.every((slice, i) => slice === last?.from[i])
  if (!last || !isSame) last = { from, slices: sorted(from) }
  return last.slices
}

function sorted(slices: readonly ResourceSlice[]): Slices {
  const newest = new Map<string, number>()
  for (const { spec } of slices) {
    const pool = `${spec.driver}/${spec.pool.name}`
    newest.set(pool, Math.max(newest.get(pool) ?? 0, spec.pool.generation))
  }
  const byNode = new Map<string, ResourceSlice[]>()
  for (const slice of slices) {
    const { driver, pool, nodeName = '' } = slice.spec
    if (pool.generation !== newest.get(`${driver}/${pool.name}`)) continue
    const those = byNode.get(nodeName)
    if (those) those.push(slice)
    else byNode.set(nodeName, [slice])
  }
  return byNode
}

const candidates = new WeakMap<ResourceSlice, readonly Candidate[]>()

/** All devices of a slice; made once, as nobody changes it. */
function candidatesOf(slice: ResourceSlice): readonly Candidate[] {
  let found = candidates.get(slice)
  if (!found) {
    const { driver, pool, devices = [] } = slice.spec
    found = devices.map((device) => ({ driver, pool: pool.name, device }))
    candidates.set(slice, found)
  }
  return found
}

function devicesOf(node: Node, slices: Slices): readonly Candidate[] {
  const own = slices.get(node.metadata.name) ?? []
  const others = slices.get('') ?? []
  const [only] = own
  if (only && own.length === 1 && others.length === 0) return candidatesOf(only)
  return [
    ...own.flatMap(candidatesOf),
    ...others.flatMap((slice) =>
      candidatesOf(slice).filter(({ device }) =>
        isOn(slice.spec.perDeviceNodeSelection ? device : slice.spec, node),
      ),
    ),
  ]
}

function isOn(
  { nodeName, allNodes, nodeSelector }: Pick<ResourceSlice['spec'], 'nodeName' | 'allNodes' | 'nodeSelector'>,
  node: Node,
): boolean {
  if (nodeName) return nodeName === node.metadata.name
  return (
    allNodes === true || (nodeSelector?.nodeSelectorTerms.some((term) => matchesTerm(term, node)) ?? false)
  )
}

const programs = new Map<string, Program | undefined>()
const PROGRAMS_MAX = 1000
/** Of one device. */
const VERDICTS_MAX = 100

function programOf(expression: string): Program | undefined {
  if (!programs.has(expression)) {
    if (programs.size >= PROGRAMS_MAX) programs.clear()
    const compiled = compile(celEnvironment().registerVariable('device', 'dyn'), expression)
    programs.set(expression, 'error' in compiled ? undefined : compiled)
  }
  return programs.get(expression)
}

/** What a selector says of a device holds as long as neither changes. */
const verdicts = new WeakMap<V1Device, Map<string, boolean>>()

/** What cannot be worked out (an attribute the device has not) does not match. */
function selects({ cel }: V1DeviceSelector, candidate: Candidate): boolean {
  if (!cel) return true
  const key = `${candidate.driver} ${cel.expression}`
  const known = verdicts.get(candidate.device) ?? new Map<string, boolean>()
  verdicts.set(candidate.device, known)
  let verdict = known.get(key)
  if (verdict === undefined) {
    try {
      verdict = programOf(cel.expression)?.run({ device: celDevice(candidate) }) === true
    } catch {
      verdict = false
    }
    if (known.size >= VERDICTS_MAX) known.clear()
    known.set(key, verdict)
  }
  return verdict
}

/** Attributes and capacities by domain; a name without one is in the driver's. */
function celDevice({ driver, device }: Candidate): object {
  const attributes: Record<string, Record<string, unknown>> = {}
  const capacity: Record<string, Record<string, unknown>> = {}
  const put = (into: typeof attributes, key: string, value: unknown) => {
    const slash = key.indexOf('/')
    const domain = slash < 0 ? driver : key.slice(0, slash)
    into[domain] = { ...into[domain], [key.slice(slash + 1)]: value }
  }
  for (const [key, { bool, int, string, version }] of Object.entries(device.attributes ?? {})) {
    const value = int === undefined ? (string ?? bool) : BigInt(int)
    put(attributes, key, version === undefined ? value : made('semver(x)', version))
  }
  for (const [key, { value }] of Object.entries(device.capacity ?? {}))
    put(capacity, key, made('quantity(x)', value))
  return { driver, attributes, capacity }
}

function made(expression: string, x: string): unknown {
  const compiled = compile(celEnvironment().registerVariable('x', 'string'), expression)
  return 'error' in compiled ? x : compiled.run({ x })
}

function attributeOf({ driver, device }: Candidate, attribute: string): string | undefined {
  const own = attribute.startsWith(`${driver}/`) ? attribute.slice(driver.length + 1) : attribute
  const value = device.attributes?.[attribute] ?? device.attributes?.[own]
  return value === undefined ? undefined : JSON.stringify(value)
}
