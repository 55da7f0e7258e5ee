import type { Checker } from './checker.ts'

/** When all is done, whatever has owners has one that is there, and nothing waits to be deleted. */
export function noOrphans(): Checker {
  return {
    atRest(view) {
      const all = view.every().filter(({ kind }) => kind !== 'Event' && kind !== 'Lease')
      const uids = new Set(all.map(({ metadata }) => metadata.uid))
      return all.flatMap(({ kind, metadata }) => {
        const owners = metadata.ownerReferences ?? []
        const label = `${kind} ${metadata.name}`
        if (metadata.deletionTimestamp) return [`${label} still waits to be deleted: ${metadata.finalizers}`]
        if (owners.length === 0 || owners.some(({ uid }) => uids.has(uid))) return []
        return [`${label} outlives its owner ${owners[0]?.kind} ${owners[0]?.name}`]
      })
    },
  }
}
