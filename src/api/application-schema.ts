import type { Schema } from './schema.ts'

const text = (description: string, more: Partial<Schema> = {}): Schema => ({
  type: 'string',
  description,
  ...more,
})
const flag = (description: string, fallback: boolean): Schema => ({
  type: 'boolean',
  description,
  default: fallback,
})
const object = (
  description: string,
  properties: Readonly<Record<string, Schema>>,
  more: Partial<Schema> = {},
): Schema => ({ type: 'object', description, properties, ...more })
const listOf = (description: string, items: Schema, more: Partial<Schema> = {}): Schema => ({
  type: 'array',
  description,
  items,
  ...more,
})

const condition = object('One observation of the state.', {
  type: text('Ready, Synced, Healthy, Reconciling or Stalled.'),
  status: text('True, False or Unknown.'),
  reason: text('A word for programs.'),
  message: text('A sentence for people.'),
  lastTransitionTime: text('When the status changed.', { format: 'date-time' }),
  observedGeneration: { type: 'integer', format: 'int64', description: 'The generation this was said of.' },
})

const spec = object('What is to be kept converged, and how.', {
  source: object(
    'Where the manifests are; by default the whole repository that Seamark was started with. At most one of branch, tag, semver and commit.',
    {
      repo: text(
        'Folder, work tree, bare repository or URL. Absent: the repository that Seamark was started with.',
      ),
      branch: text("Followed commit by commit. Default: the repository's checked out or default branch."),
      tag: text('A fixed tag.'),
      semver: text('The highest tag in a range, such as ">=1.2.0 <2".'),
      commit: text('A fixed commit.'),
      path: text('Folder inside the repository.', { default: '.' }),
    },
  ),
  render: object('How files become objects.', {
    type: text('auto looks for Chart.yaml and kustomization.yaml.', {
      enum: ['auto', 'plain', 'kustomize', 'helm'],
      default: 'auto',
    }),
  }),
  destination: object('Where objects go.', {
    namespace: text('For objects that name none. Default: default.'),
    kubeconfigSecret: text('A Secret with the kubeconfig of another cluster.'),
  }),
  interval: text('How often the source is looked at when nothing announces a change.', { default: '60s' }),
  prune: flag('Deletes objects that left the source.', true),
  selfHeal: flag('Puts drift back at once.', true),
  suspend: flag('Leaves everything as it is.', false),
  timeout: text('How long a commit may take to become healthy.', { default: '10m' }),
  dependsOn: listOf(
    'Applications that must be healthy first.',
    object(
      '',
      { name: text('Name.'), namespace: text('Namespace; default: the same.') },
      { required: ['name'] },
    ),
  ),
  retry: object('After a failed attempt.', {
    limit: { type: 'integer', format: 'int32', minimum: 0, description: 'How many times; default 5.' },
    interval: text('The first wait; doubles. Default 5s.'),
  }),
  rollback: object('When a commit fails.', {
    onFailure: text(
      'previous applies the last healthy commit again, revert also commits a git revert, none leaves it.',
      { enum: ['previous', 'revert', 'none'], default: 'previous' },
    ),
  }),
  ignoreDifferences: listOf(
    'Fields that others may change.',
    object('', {
      group: text('Group.'),
      kind: text('Kind.'),
      name: text('Name.'),
      namespace: text('Namespace.'),
      jsonPointers: listOf('Such as /spec/replicas.', text('')),
    }),
  ),
  serviceAccountName: text('The identity to write with. Default: Seamark itself.'),
  syncWindows: listOf(
    'When commits may be applied.',
    object(
      '',
      {
        kind: text('allow or deny.', { enum: ['allow', 'deny'] }),
        schedule: text('Cron.'),
        duration: text('How long.'),
        timeZone: text('Default UTC.'),
      },
      { required: ['kind', 'schedule', 'duration'] },
    ),
  ),
})

const anything: Schema = { preserveUnknown: true }

/** The shape of an Application; its prose is what `kubectl explain application` prints. */
export const applicationSchema: Schema = {
  type: 'object',
  description: 'An Application is one path of one source, kept converged.',
  required: ['spec'],
  properties: {
    apiVersion: text('Versioned schema of this object.'),
    kind: text('The REST resource this object represents.'),
    metadata: { ref: 'V1ObjectMeta' },
    spec,
    status: object('What was observed last. Written by Seamark.', {
      observedGeneration: {
        type: 'integer',
        format: 'int64',
        description: 'The generation that was acted on.',
      },
      conditions: listOf('Ready, Synced, Healthy, Reconciling, Stalled.', condition, {
        listType: 'map',
        listMapKeys: ['type'],
        patchStrategy: 'merge',
        patchMergeKey: 'type',
      }),
      lastAppliedCommit: text('The commit whose objects are applied.'),
      lastAttemptedCommit: text('The commit that was tried last.'),
      lastHealthyCommit: text('The newest commit that became healthy.'),
      lastHandledSyncRequest: text('The sync request that was acted on last.'),
      quarantinedCommits: listOf('Commits that failed and are not tried again.', anything, {
        listType: 'atomic',
      }),
      resources: listOf('What the commit owns, each with its health.', anything, { listType: 'atomic' }),
      inventory: object('What may be pruned.', {
        entries: listOf('id is namespace_name_group_kind, v the version.', anything, { listType: 'atomic' }),
      }),
      history: listOf('The last commits and how they ended, newest first.', anything, { listType: 'atomic' }),
    }),
  },
}
