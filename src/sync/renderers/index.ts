import { renderPlain } from './plain.ts'
import type { Renderer } from './renderer.ts'

/** By Application.spec.render.type. A new renderer is one file beside this one and one line here. */
export const renderers: Readonly<Record<'auto' | 'plain', Renderer>> = {
  auto: renderPlain,
  plain: renderPlain,
}
