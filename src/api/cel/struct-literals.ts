/**
 * The expressions of MutatingAdmissionPolicy build objects as `Object{spec: Object.spec{replicas: 3}}` and patches as
 * `JSONPatch{op: "add", ...}`. The engine has maps, not messages: such literals become maps, `?field: x` the member
 * "?field" with an optional value (from-cel.ts takes it up).
 */
const TOKEN =
  /(?:[rRbB]{0,2})(?:"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|\/\/[^\n]*|\b(?:Object(?:\.[A-Za-z_]\w*)*|JSONPatch)(?=\s*\{)|[A-Za-z_]\w*|\s+|[\s\S]/g
const STRUCT = /^(?:Object(?:\.\w+)*|JSONPatch)$/

export function withoutStructs(expression: string): string {
  const open: ('struct' | 'other')[] = []
  let isNextStruct = false
  let expectsField = false
  let isOptional = false
  let result = ''
  for (const [token] of expression.matchAll(TOKEN)) {
    if (/^\s+$/.test(token) || token.startsWith('//')) {
      result += token
      continue
    }
    if (isNextStruct && token === '{') {
      open.push('struct')
      isNextStruct = false
      expectsField = true
      result += token
      continue
    }
    if (STRUCT.test(token)) {
      isNextStruct = true
      expectsField = false
      continue
    }
    if (expectsField && token === '?') {
      isOptional = true
      continue
    }
    if (expectsField && /^[A-Za-z_]\w*$/.test(token)) {
      result += JSON.stringify(isOptional ? `?${token}` : token)
      expectsField = false
      isOptional = false
      continue
    }
    if (token === '{' || token === '[' || token === '(') open.push('other')
    else if (token === '}' || token === ']' || token === ')') open.pop()
    expectsField = token === ',' && open.at(-1) === 'struct'
    result += token
  }
  return result
}
