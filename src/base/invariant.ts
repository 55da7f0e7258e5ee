/** A failed invariant is a bug in Seamark, never a user's mistake: those are ApiErrors. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError'
}

export function invariant(holds: unknown, whatShouldHold: string): asserts holds {
  if (!holds) throw new InvariantError(`Invariant broken: ${whatShouldHold}`)
}

export function unreachable(value: never): never {
  throw new InvariantError(`Invariant broken: ${JSON.stringify(value)} is a case that is handled`)
}
