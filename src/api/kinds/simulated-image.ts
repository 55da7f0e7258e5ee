import { ageColumn, nameColumn } from '../age.ts'
import { parseDuration } from '../duration.ts'
import { defineKind } from '../kind.ts'
import { ownSchema } from '../own-schema.ts'
import type { Resource } from '../resource.ts'
import type { Schema } from '../schema.ts'
import { type SimulatedUsage, usageSchema, validateUsage } from '../simulated-usage.ts'
import { fault } from '../status.ts'
import { validateSchema } from '../validate-schema.ts'
import { WAVE } from '../waves.ts'

/**
 * How a container of an image behaves on simulated nodes. One that names the very reference decides; then the first, by
 * name, of which a glob matches.
 */
export interface SimulatedImage extends Resource {
  readonly spec: {
    readonly images: readonly string[]
    readonly size?: string | undefined
    readonly pullTime?: string | undefined
    readonly pullError?: string | undefined
    readonly startTime?: string | undefined
    readonly readyAfter?: string | undefined
    readonly stopTime?: string | undefined
    readonly exit?:
      | {
          readonly code?: number | undefined
          readonly after?: string | undefined
          readonly message?: string | undefined
        }
      | undefined
    readonly usage?: SimulatedUsage | undefined
    readonly logs?: readonly string[] | undefined
    readonly logEvery?: string | undefined
    readonly commands?: readonly SimulatedCommand[] | undefined
    readonly http?: readonly SimulatedAnswer[] | undefined
  }
}

/** What a command of the image does when somebody runs it in a container. */
export interface SimulatedCommand {
  readonly name: string
  readonly output?: string | undefined
  readonly error?: string | undefined
  readonly exitCode?: number | undefined
  readonly takes?: string | undefined
}

/** What a port of the image's containers answers to HTTP requests. */
export interface SimulatedAnswer {
  readonly port: number
  readonly path?: string | undefined
  readonly status?: number | undefined
  readonly body?: string | undefined
  readonly contentType?: string | undefined
}

const behaviourOfPeople: Readonly<Record<string, Schema>> = {
  logEvery: {
    type: 'string',
    description: 'After its start it writes one more of its lines each time this long has passed, in turn.',
  },
  commands: {
    type: 'array',
    description: 'Commands for kubectl exec, before those that every simulated container has.',
    items: {
      type: 'object',
      required: ['name'],
      properties: {
        name: { type: 'string', minLength: 1, description: 'As it is called, without its path.' },
        output: { type: 'string', description: 'Written to standard output as it is.' },
        error: { type: 'string', description: 'Written to standard error as it is.' },
        exitCode: { type: 'integer', format: 'int32', minimum: 0, maximum: 255, description: 'Default 0.' },
        takes: { type: 'string', description: 'How long it runs. Default 0s.' },
      },
    },
  },
  http: {
    type: 'array',
    description:
      'What its ports answer; the longest path that fits decides. Default: 200 and the name of the pod.',
    items: {
      type: 'object',
      required: ['port'],
      properties: {
        port: {
          type: 'integer',
          format: 'int32',
          minimum: 1,
          maximum: 65535,
          description: 'Container port.',
        },
        path: { type: 'string', description: 'Beginning of the path. Default "/".' },
        status: { type: 'integer', format: 'int32', minimum: 200, maximum: 599, description: 'Default 200.' },
        body: { type: 'string', description: 'Default: the name of the pod.' },
        contentType: { type: 'string', description: 'Default "text/plain".' },
      },
    },
  },
}

const schema = ownSchema('A SimulatedImage says how containers of some images behave on simulated nodes.', {
  spec: {
    type: 'object',
    description: 'The behaviour. An image that no SimulatedImage matches takes the defaults.',
    required: ['images'],
    properties: {
      images: {
        type: 'array',
        items: { type: 'string', minLength: 1 },
        minItems: 1,
        description: 'Image references, * and ** as in file globs: "registry.example/shop/*".',
      },
      size: { type: 'string', format: 'quantity', default: '50Mi', description: 'Size of the image.' },
      pullTime: {
        type: 'string',
        default: '1s',
        description: 'How long a node pulls it that does not have it.',
      },
      pullError: { type: 'string', description: 'Makes every pull fail with this message.' },
      startTime: {
        type: 'string',
        default: '500ms',
        description: 'From the start of the container until its process runs.',
      },
      readyAfter: { type: 'string', default: '0s', description: 'From then until its probes answer.' },
      stopTime: {
        type: 'string',
        default: '0s',
        description: 'From SIGTERM until it ends. Longer than the grace period and it is killed.',
      },
      exit: {
        type: 'object',
        description:
          'Makes the container end. Default: init containers and those of pods that are not restarted always end with 0 after 1s, all others never.',
        properties: {
          code: {
            type: 'integer',
            format: 'int32',
            minimum: 0,
            maximum: 255,
            default: 0,
            description: 'Exit code.',
          },
          after: { type: 'string', default: '0s', description: 'How long it runs before.' },
          message: {
            type: 'string',
            description: 'What it writes to its terminationMessagePath, for the status of its pod.',
          },
        },
      },
      usage: usageSchema,
      logs: { type: 'array', items: { type: 'string' }, description: 'Lines it writes when it starts.' },
      ...behaviourOfPeople,
    },
  },
})

export const simulatedImage = defineKind<SimulatedImage>({
  group: 'seamark.dev',
  version: 'v1alpha1',
  kind: 'SimulatedImage',
  plural: 'simulatedimages',
  scope: 'Cluster',
  shortNames: ['simimg'],
  categories: ['seamark'],
  schema,
  applyWave: WAVE.nodes,
  setDefaults: (resource) => ({
    ...resource,
    spec: {
      ...resource.spec,
      size: resource.spec?.size ?? '50Mi',
      pullTime: resource.spec?.pullTime ?? '1s',
      startTime: resource.spec?.startTime ?? '500ms',
      readyAfter: resource.spec?.readyAfter ?? '0s',
      stopTime: resource.spec?.stopTime ?? '0s',
    },
  }),
  validate(resource) {
    const { spec } = resource
    const durations = [
      ['pullTime', spec.pullTime],
      ['startTime', spec.startTime],
      ['readyAfter', spec.readyAfter],
      ['stopTime', spec.stopTime],
      ['exit.after', spec.exit?.after],
      ['logEvery', spec.logEvery],
      ...(spec.commands ?? []).map(({ takes }, i) => [`commands[${i}].takes`, takes] as const),
    ] as const
    return [
      ...validateSchema({ spec }, schema),
      ...validateUsage(spec.usage, 'spec.usage'),
      ...durations.flatMap(([field, text]) =>
        text !== undefined && (parseDuration(text) ?? -1) < 0
          ? [
              fault.invalid(
                `spec.${field}`,
                text,
                'must be a duration of at least 0, such as "500ms" or "2s"',
              ),
            ]
          : [],
      ),
    ]
  },
  columns: [
    nameColumn,
    {
      name: 'Images',
      type: 'string',
      description: 'Image references it is for.',
      value: ({ spec }) => spec.images.join(','),
    },
    {
      name: 'Behaviour',
      type: 'string',
      description: 'What containers of them do.',
      value: ({ spec }) =>
        spec.pullError
          ? `pull fails: ${spec.pullError}`
          : spec.exit
            ? `exits ${spec.exit.code ?? 0} after ${spec.exit.after ?? '0s'}`
            : 'runs',
    },
    ageColumn,
  ],
  example: {
    apiVersion: 'seamark.dev/v1alpha1',
    kind: 'SimulatedImage',
    metadata: { name: 'shop' },
    spec: { images: ['registry.example/shop/*'] },
  },
})
