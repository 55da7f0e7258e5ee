import type { ASTNode } from '@marcbachmann/cel-js'
import { isObject } from '../../base/json.ts'

/** Kubernetes' bound on what one expression may cost while it runs. */
const STEPS_MAX = 10_000_000
const LOOPS = new Set(['all', 'exists', 'exists_one', 'existsOne', 'map', 'filter'])

/**
 * Whether loops in loops over collections of this size could go on for too long: without a schema nothing bounds them
 * but the data. `largest` is that of the values the expression sees.
 */
export function exceedsLoops(ast: ASTNode, largest: number): boolean {
  const { depth, literal } = measure(ast)
  return depth > 1 && Math.max(largest, literal) ** depth > STEPS_MAX
}

interface Measure {
  /** Loops in loops. */
  readonly depth: number
  /** Items of the largest literal. */
  readonly literal: number
}

const measured = new WeakMap<ASTNode, Measure>()

function measure(ast: ASTNode): Measure {
  let found = measured.get(ast)
  if (!found) {
    found = walk(ast)
    measured.set(ast, found)
  }
  return found
}

function walk(value: unknown): Measure {
  if (Array.isArray(value)) return value.map(walk).reduce(larger, NONE)
  if (typeof value !== 'object' || value === null || !('op' in value)) return NONE
  const { op, args } = value as { readonly op: string; readonly args: unknown }
  const inside = walk(args)
  if (op === 'rcall' && LOOPS.has((args as readonly [string])[0]))
    return { ...inside, depth: inside.depth + 1 }
  if (op === 'list') return larger(inside, { depth: 0, literal: (args as readonly unknown[]).length })
  return inside
}

const NONE: Measure = { depth: 0, literal: 0 }

function larger(a: Measure, b: Measure): Measure {
  return { depth: Math.max(a.depth, b.depth), literal: Math.max(a.literal, b.literal) }
}

/** How many items or members the largest collection in a JSON value has. */
export function largestCollection(value: unknown): number {
  const members = Array.isArray(value) ? value : isObject(value) ? Object.values(value) : undefined
  if (!members) return 0
  return members.reduce<number>((most, member) => Math.max(most, largestCollection(member)), members.length)
}
