/**
 * The grammar of the small shell: lists (`;`, newline, `&&`, `||`), pipelines, redirections, quotes, and what is
 * expanded later ($X, ${X}, ${X:-default}, $?, $(command)). No loops and no conditions: they are refused by name. Pure.
 */

/** A piece of a word; `expands` tells whether `$` means something in it, `splits` whether blanks cut the result. */
export interface Piece {
  readonly text: string
  readonly expands: boolean
  readonly splits: boolean
}

export type Word = readonly Piece[]

export interface Redirect {
  readonly from: 0 | 1 | 2
  readonly how: '<' | '>' | '>>' | '&'
  /** A file, or with `&` the other descriptor. */
  readonly to: Word
}

export interface SimpleCommand {
  readonly words: readonly Word[]
  readonly redirects: readonly Redirect[]
}

export interface Step {
  /** How it depends on the one before. */
  readonly when: 'always' | 'success' | 'failure'
  readonly pipeline: readonly SimpleCommand[]
}

export class ShellSyntaxError extends Error {}

type Token =
  | { readonly type: 'word'; readonly word: Word }
  | { readonly type: 'op'; readonly text: string }
  | { readonly type: 'redirect'; readonly from: 0 | 1 | 2; readonly how: Redirect['how'] }

const OPERATORS = ['&&', '||', ';', '|', '\n']
const REFUSED = new Set(['if', 'for', 'while', 'until', 'case', 'function', '{', '('])

export function parseShell(text: string): readonly Step[] {
  const steps: Step[] = []
  let when: Step['when'] = 'always'
  let pipeline: SimpleCommand[] = []
  let words: Word[] = []
  let redirects: Redirect[] = []
  const tokens = tokenize(text)
  const endCommand = (next: string) => {
    if (words.length === 0 && redirects.length === 0) {
      if (pipeline.length > 0 || next === '|' || next === '&&' || next === '||')
        throw new ShellSyntaxError(`syntax error: unexpected "${next === '\n' ? 'newline' : next}"`)
      return
    }
    pipeline.push({ words, redirects })
    words = []
    redirects = []
  }
  for (let i = 0; i < tokens.length; i += 1) {
    const token = tokens[i]
    if (token?.type === 'word') words.push(token.word)
    else if (token?.type === 'redirect') {
      const target = tokens[i + 1]
      if (target?.type !== 'word') throw new ShellSyntaxError('syntax error: unexpected redirection')
      redirects.push({ from: token.from, how: token.how, to: target.word })
      i += 1
    } else if (token) {
      endCommand(token.text)
      if (token.text === '|') continue
      if (pipeline.length > 0) steps.push({ when, pipeline })
      pipeline = []
      when = token.text === '&&' ? 'success' : token.text === '||' ? 'failure' : 'always'
    }
  }
  endCommand(when === 'always' ? 'end of file' : '&&')
  if (pipeline.length > 0) steps.push({ when, pipeline })
  for (const { pipeline: commands } of steps)
    for (const { words: all } of commands) {
      const first = all[0]?.map((piece) => piece.text).join('') ?? ''
      if (REFUSED.has(first))
        throw new ShellSyntaxError(`"${first}": simulated containers run simple commands only`)
    }
  return steps
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  while (at < text.length) {
    const char = text[at] ?? ''
    if (char === ' ' || char === '\t' || char === '\r') {
      at += 1
      continue
    }
    if (char === '#') {
      while (at < text.length && text[at] !== '\n') at += 1
      continue
    }
    const operator = OPERATORS.find((each) => text.startsWith(each, at))
    if (operator) {
      tokens.push({ type: 'op', text: operator })
      at += operator.length
      continue
    }
    const redirect = /^([012])?(>>|>&|>|<)/.exec(text.slice(at, at + 4))
    if (redirect) {
      const how = redirect[2] === '>&' ? '&' : (redirect[2] as '<' | '>' | '>>')
      const from = Number(redirect[1] ?? (how === '<' ? 0 : 1)) as 0 | 1 | 2
      tokens.push({ type: 'redirect', from, how })
      at += redirect[0].length
      continue
    }
    if (char === '&') throw new ShellSyntaxError('background commands are not run in simulated containers')
    const { word, end } = readWord(text, at)
    tokens.push({ type: 'word', word })
    at = end
  }
  return tokens
}

function readWord(text: string, start: number): { word: Word; end: number } {
  const word: Piece[] = []
  let plain = ''
  let at = start
  const flush = () => {
    if (plain !== '') word.push({ text: plain, expands: true, splits: true })
    plain = ''
  }
  while (at < text.length) {
    const char = text[at] ?? ''
    if (/[\s;|&<>]/.test(char)) break
    if (char === "'") {
      const end = text.indexOf("'", at + 1)
      if (end < 0) throw new ShellSyntaxError('syntax error: unterminated quoted string')
      flush()
      word.push({ text: text.slice(at + 1, end), expands: false, splits: false })
      at = end + 1
    } else if (char === '"') {
      flush()
      at = readDoubleQuoted(text, at, word)
    } else if (char === '\\') {
      flush()
      if (text[at + 1] !== '\n') word.push({ text: text[at + 1] ?? '\\', expands: false, splits: false })
      at += 2
    } else if (text.startsWith('$(', at)) {
      const end = endOfSubstitution(text, at)
      plain += text.slice(at, end)
      at = end
    } else {
      plain += char
      at += 1
    }
  }
  flush()
  return { word, end: at }
}

/** Appends the pieces of "…" that begins at `start`; returns where it ends. */
function readDoubleQuoted(text: string, start: number, word: Piece[]): number {
  let at = start + 1
  let piece = ''
  const push = (expands: boolean, content: string) => word.push({ text: content, expands, splits: false })
  for (;;) {
    const char = text[at]
    if (char === undefined) throw new ShellSyntaxError('syntax error: unterminated quoted string')
    if (char === '"') break
    if (char === '\\' && /["\\$`]/.test(text[at + 1] ?? '')) {
      push(true, piece)
      piece = ''
      push(false, text[at + 1] ?? '')
      at += 2
    } else if (text.startsWith('$(', at)) {
      const end = endOfSubstitution(text, at)
      piece += text.slice(at, end)
      at = end
    } else {
      piece += char
      at += 1
    }
  }
  push(true, piece)
  return at + 1
}

/** The index after the parenthesis that closes the `$(` at `start`. */
export function endOfSubstitution(text: string, start: number): number {
  let depth = 0
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === '(') depth += 1
    if (text[at] === ')') depth -= 1
    if (depth === 0) return at + 1
  }
  throw new ShellSyntaxError('syntax error: unterminated "$("')
}
