import type { AnyKind } from '../api/kind.ts'
import type { Env } from '../base/env.ts'
import type { Client } from '../client/client.ts'
import { EventRecorder } from '../client/events.ts'
import type { Informers } from '../client/informers.ts'
import type { Controller, Loop, ReconcileContext, Running } from './controller.ts'
import { deploymentController } from './deployment.ts'
import { replicaSetController } from './replica-set.ts'
import { ControllerRunner } from './runner.ts'

/** One line per controller; a key at a time each. */
export const controllers: readonly Controller[] = [deploymentController, replicaSetController]

/** What is not one key at a time. */
function loopsOf(_kinds: () => readonly AnyKind[]): readonly Loop[] {
  return []
}

export interface ControllerOptions {
  readonly informers: Informers
  /** All kinds the API serves now; read again as custom ones come and go. */
  readonly kinds: () => readonly AnyKind[]
}

/** Starts every controller. Resolves nothing and throws nothing: each waits for its own informers by itself. */
export function startControllers(env: Env, client: Client, options: ControllerOptions): Running {
  const contextOf = (name: string): ReconcileContext => ({
    env,
    client,
    informers: options.informers,
    events: new EventRecorder(env, client, `${name}-controller`),
  })
  const running: Running[] = loopsOf(options.kinds).map((loop) => loop.start(contextOf(loop.name)))
  for (const controller of controllers) {
    const runner = new ControllerRunner(contextOf(controller.name), controller)
    running.push(runner)
    void runner.start().catch((error: unknown) => {
      env.log.error({ err: error, controller: controller.name }, 'controller did not start')
    })
  }
  return {
    async stop() {
      await Promise.all(running.map((each) => each.stop()))
    },
  }
}
