import type { ServiceAccount } from '../api/kinds/service-account.ts'
import type { Pair } from '../base/certificates.ts'

/** What only the owner of the cluster's keys can do, given to the controllers that do it for others. */
export interface Issuing {
  /** Signs certificates; everybody may have its certificate. */
  readonly authority: Pair
  /** Whether the user may ask for a certificate of this sort (a subresource of certificatesigningrequests). */
  mayAskFor(requester: Requester, sort: 'nodeclient' | 'selfnodeclient'): Promise<boolean>
  /** The token that stands in a Secret and never expires. */
  issueToken(account: ServiceAccount, secretName: string): Promise<string>
}

export interface Requester {
  readonly name: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}
