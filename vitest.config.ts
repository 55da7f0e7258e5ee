import { defineConfig } from 'vitest/config'

// Three projects: `unit` (pure tables, contracts, properties; no real sleeps), `simulation` (the whole plane on
// the virtual clock) and `e2e` (real processes, git, kubectl). Files of one project share a worker: the code keeps
// no module state, which `isolate: false` also proves.
export default defineConfig({
  test: {
    pool: 'forks',
    isolate: false,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: [
            'src/**/*.test.ts',
            'test/tidy.test.ts',
            'test/contracts/**/*.test.ts',
            'test/golden/**/*.test.ts',
          ],
          // The longest scenarios are virtual days; a busy machine takes its time for them.
          testTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: { name: 'simulation', include: ['test/simulation/**/*.test.ts'], testTimeout: 300_000 },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
