import type { V1CustomResourceDefinition } from '../generated/types.ts'
import type { Stored } from '../resource.ts'

export type CustomResourceDefinition = Stored<V1CustomResourceDefinition>
