import { expect, test } from 'vitest'
import { insideUser } from './inside-users.ts'

test.each([
  ['deployment-controller', 'system:serviceaccount:kube-system:deployment-controller'],
  ['pod-garbage-collector', 'system:serviceaccount:kube-system:pod-garbage-collector'],
  ['default-scheduler', 'system:kube-scheduler'],
  ['seamark', 'system:apiserver'],
])('The part %s is %s, which may do everything', (part, name) => {
  expect(insideUser(part)).toMatchObject({ name, groups: expect.arrayContaining(['system:masters']) })
})
