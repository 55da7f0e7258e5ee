import type { Manifest } from '../manifest.ts'
import type { Place } from '../progress.ts'
import type { SourceFile } from '../sources/source.ts'

export interface Rendered {
  readonly manifests: readonly Manifest[]
  /** Any of them fails the commit. */
  readonly errors: readonly Place[]
  readonly warnings: readonly Place[]
}

/** Makes objects of files. Pure; `path` is the folder of the application inside the source. */
export type Renderer = (files: readonly SourceFile[], path: string) => Rendered
